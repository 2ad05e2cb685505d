// Weights in RAM. An MCU that keeps them elsewhere has a weights.h and weights.c of its own in its folder, which take the place of these.
#ifndef WEIGHTS_H
#define WEIGHTS_H
#include "agent.h"

extern uint8_t weights[WORD * (1UL << WEIGHTS_BITS)];

// The word, itself or a copy in `room`.
static inline const uint8_t *weights_word(uint16_t word, uint8_t room[WORD]) {
  (void)room;
  return weights + WORD * (uint32_t)(word & ((1UL << WEIGHTS_BITS) - 1));
}

void weights_write(uint16_t word, const uint8_t *bytes, uint16_t words);

#endif
