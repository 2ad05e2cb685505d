// Bytes between the interrupt that takes them from the line and the loop that reads them.
#include "agent.h"

enum { RING = 1 << RING_BITS };
#if RING_BITS <= 8
typedef uint8_t place;  // read and written at once on every MCU
#else
typedef uint16_t place;
#endif

static uint8_t ring[RING];
static volatile place head, tail;
uint16_t line_lost;

void line_received(uint8_t byte) {
  place next = (place)((head + 1) & (RING - 1));
  if (next == tail) {
    line_lost++;
    return;
  }
  ring[head] = byte;
  __asm__ volatile("" ::: "memory");  // the byte is there before it is announced
  head = next;
}

uint8_t line_waiting(void) { return head != tail; }

// The next byte, or -1.
int16_t line_take(void) {
  if (!line_waiting()) return -1;
  __asm__ volatile("" ::: "memory");
  uint8_t byte = ring[tail];
  tail = (place)((tail + 1) & (RING - 1));
  return byte;
}
