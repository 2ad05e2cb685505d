// What a compiler without a library may call.
#if __STDC_HOSTED__ == 0
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
  uint8_t *t = to;
  for (const uint8_t *f = from; n--;) *t++ = *f++;
  return to;
}

void *memset(void *to, int value, size_t n) {
  for (uint8_t *t = to; n--;) *t++ = (uint8_t)value;
  return to;
}
#endif
