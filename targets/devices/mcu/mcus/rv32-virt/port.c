// QEMU's virt machine with an RV32IMAC hart: line on its 16550, without FIFOs, so that what comes before the agent begins is not lost; interrupts by PLIC and CLINT. The counter of clocks is mcycle.
#include <port.h>

__asm__(".option arch, +zicsr");  // beside rv32imac, by which the compiler chooses its library

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define UART(n) (*(volatile uint8_t *)(0x10000000 + (n)))
enum { DATA, IER, LCR = 3, LSR = 5 };
enum { READY = 1, ROOM = 1 << 5 };  // LSR
enum { UART_SOURCE = 10 };
#define PLIC_PRIORITY(source) REGISTER(0x0c000000 + 4 * (source))
#define PLIC_ENABLE REGISTER(0x0c002000)
#define PLIC_THRESHOLD REGISTER(0x0c200000)
#define PLIC_CLAIM REGISTER(0x0c200004)
#define MTIMECMP REGISTER(0x02004000)
#define MTIMECMP_HIGH REGISTER(0x02004004)
#define MTIME REGISTER(0x0200bff8)
#define MTIME_HIGH REGISTER(0x0200bffc)
enum { MTIME_KHZ = 10000, WAKE_MS = 10 };
enum { TIMER = 7, EXTERNAL = 11 };  // interrupts of the hart

static uint64_t mtime(void) {
  uint32_t high, low;
  do {
    high = MTIME_HIGH;
    low = MTIME;
  } while (high != MTIME_HIGH);
  return (uint64_t)high << 32 | low;
}

static void wake_later(void) {
  uint64_t then = mtime() + MTIME_KHZ * WAKE_MS;
  MTIMECMP_HIGH = UINT32_MAX;
  MTIMECMP = (uint32_t)then;
  MTIMECMP_HIGH = (uint32_t)(then >> 32);
}

__attribute__((interrupt("machine"), aligned(4))) static void trap(void) {
  uint32_t cause;
  __asm__ volatile("csrr %0, mcause" : "=r"(cause));
  if (cause == (1UL << 31 | TIMER)) {
    wake_later();
  } else if (cause == (1UL << 31 | EXTERNAL)) {
    uint32_t source = PLIC_CLAIM;
    while (UART(LSR) & READY) line_received(UART(DATA));
    PLIC_CLAIM = source;
  } else {
    for (;;) continue;  // a fault is a bug: the agent falls silent, which the host says
  }
}

void port_start(void) {
  UART(LCR) = 3;  // 8 bits
  UART(IER) = 1;  // a byte came
  PLIC_PRIORITY(UART_SOURCE) = 1;
  PLIC_ENABLE = 1 << UART_SOURCE;
  PLIC_THRESHOLD = 0;
  wake_later();
  __asm__ volatile("csrw mtvec, %0; csrw mie, %1; csrsi mstatus, 8" ::"r"(trap), "r"(1 << TIMER | 1 << EXTERNAL));
}

void port_send(uint8_t byte) {
  while (!(UART(LSR) & ROOM)) continue;
  UART(DATA) = byte;
}

uint32_t port_cycles(void) {
  uint32_t now;
  __asm__ volatile("csrr %0, mcycle" : "=r"(now));
  return now;
}

uint16_t port_ms(void) { return (uint16_t)(mtime() / MTIME_KHZ); }

void port_idle(void) {
  __asm__ volatile("csrci mstatus, 8" ::: "memory");
  if (!line_waiting()) __asm__ volatile("wfi");  // wakes for an interrupt that is held back too
  __asm__ volatile("csrsi mstatus, 8" ::: "memory");
}
