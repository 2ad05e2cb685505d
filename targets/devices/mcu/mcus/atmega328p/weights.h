// Weights in flash: 16 KiB from 0x2000 on, written by the agent itself, page by page.
#ifndef WEIGHTS_H
#define WEIGHTS_H
#include "agent.h"
#include <avr/pgmspace.h>

enum { WEIGHTS_BEGIN = 0x2000 };

// A copy of the word in `room`.
static inline const uint8_t *weights_word(uint16_t word, uint8_t room[WORD]) {
  memcpy_P(room, (const void *)(WEIGHTS_BEGIN + WORD * (word & ((1U << WEIGHTS_BITS) - 1))), WORD);
  return room;
}

void weights_write(uint16_t word, const uint8_t *bytes, uint16_t words);

#endif
