// What Cortex-M cores have in common. SysTick counts clocks down and interrupts each 10 ms.
#include <cortex.h>
#include <port.h>

enum { TICK_MS = 10 };
#define TICK (TICK_MS * (uint32_t)KHZ)
#define SYST_CSR REGISTER(0xe000e010)
#define SYST_RVR REGISTER(0xe000e014)
#define SYST_CVR REGISTER(0xe000e018)
#define ICSR REGISTER(0xe000ed04)
#define PENDSTSET (1UL << 26)

extern uint32_t data_from, data_begin, data_end, bss_begin, bss_end;
int main(void);
static volatile uint32_t ticks;

void cortex_reset(void) {
  const uint32_t *from = &data_from;
  for (uint32_t *to = &data_begin; to < &data_end;) *to++ = *from++;
  for (uint32_t *to = &bss_begin; to < &bss_end;) *to++ = 0;
  main();
}

// A fault is a bug: the agent falls silent, which the host says.
void cortex_fault(void) {
  for (;;) continue;
}

void cortex_tick(void) { ticks++; }

void cortex_start(void) {
  SYST_RVR = TICK - 1;
  SYST_CVR = 0;
  SYST_CSR = 7;  // on, with an interrupt, of the core's own clock
}

uint32_t port_cycles(void) {
  uint32_t before, now, pending;
  do {
    before = ticks;
    now = SYST_CVR;
    pending = ICSR & PENDSTSET;
  } while (before != ticks);
  if (pending && now > TICK / 2) before++;  // it began again, and the interrupt is still to come
  return before * TICK + (TICK - 1 - now);
}

uint16_t port_ms(void) { return (uint16_t)(TICK_MS * ticks); }

void port_idle(void) {
  __asm__ volatile("cpsid i" ::: "memory");
  if (!line_waiting()) __asm__ volatile("wfi");  // wakes for an interrupt that is held back too
  __asm__ volatile("cpsie i" ::: "memory");
}
