// The three memories. Their sizes are powers of two, so that a mask keeps every access inside.
#include <weights.h>

uint8_t activations[WORD << ACTIVATIONS_BITS] __attribute__((aligned(8)));
uint8_t parameters[WORD << PARAMETERS_BITS] __attribute__((aligned(8)));

static uint8_t *ram_word(uint8_t memory, uint16_t word) {
  if (memory == ACTIVATIONS) return activations + WORD * (word & ((1U << ACTIVATIONS_BITS) - 1));
  return parameters + WORD * (word & ((1U << PARAMETERS_BITS) - 1));
}

const uint8_t *memory_word(uint8_t memory, uint16_t word, uint8_t room[WORD]) {
  return memory == WEIGHTS ? weights_word(word, room) : ram_word(memory, word);
}

void memory_write(uint8_t memory, uint16_t word, const uint8_t *bytes, uint16_t words) {
  if (memory == WEIGHTS) {
    weights_write(word, bytes, words);
    return;
  }
  for (; words--; word++) {
    uint8_t *to = ram_word(memory, word);
    for (uint8_t i = 0; i < WORD; i++) to[i] = *bytes++;
  }
}
