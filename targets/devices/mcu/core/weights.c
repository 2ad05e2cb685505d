// Weights in RAM.
#include <weights.h>

uint8_t weights[WORD * (1UL << WEIGHTS_BITS)] __attribute__((aligned(8)));

void weights_write(uint16_t word, const uint8_t *bytes, uint16_t words) {
  for (; words--; word++) {
    uint8_t *to = weights + WORD * (uint32_t)(word & ((1UL << WEIGHTS_BITS) - 1));
    for (uint8_t i = 0; i < WORD; i++) to[i] = *bytes++;
  }
}
