// RP2040 (Raspberry Pi Pico): a Cortex-M0+ at 125 MHz from a crystal of 12 MHz, line on UART 0, pins GP0 (out) and GP1 (in).
#include <cortex.h>
#include <port.h>

#define RESETS_CLEAR REGISTER(0x4000f000)
#define RESETS_DONE REGISTER(0x4000c008)
enum { IO_BANK0 = 1 << 5, PADS_BANK0 = 1 << 8, PLL_SYS = 1 << 12, UART0 = 1 << 22 };
#define XOSC_CTRL REGISTER(0x40024000)
#define XOSC_STATUS REGISTER(0x40024004)
#define XOSC_STARTUP REGISTER(0x4002400c)
#define CLK_REF_CTRL REGISTER(0x40008030)
#define CLK_REF_SELECTED REGISTER(0x40008038)
#define CLK_SYS_CTRL REGISTER(0x4000803c)
#define CLK_SYS_SELECTED REGISTER(0x40008044)
#define CLK_PERI_CTRL REGISTER(0x40008048)
#define PLL_CS REGISTER(0x40028000)
#define PLL_PWR REGISTER(0x40028004)
#define PLL_FBDIV REGISTER(0x40028008)
#define PLL_PRIM REGISTER(0x4002800c)
#define GPIO_CTRL(pin) REGISTER(0x40014004 + 8 * (pin))
#define UART_DR REGISTER(0x40034000)
#define UART_FR REGISTER(0x40034018)
#define UART_IBRD REGISTER(0x40034024)
#define UART_FBRD REGISTER(0x40034028)
#define UART_LCR_H REGISTER(0x4003402c)
#define UART_CR REGISTER(0x40034030)
#define UART_IMSC REGISTER(0x40034038)
enum { RX_EMPTY = 1 << 4, TX_FULL = 1 << 5 };  // UART_FR
enum { UART0_INTERRUPT = 20 };

static void received(void) {
  while (!(UART_FR & RX_EMPTY)) line_received((uint8_t)UART_DR);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16 + 26])(void) = {CORTEX_VECTORS, [16 + UART0_INTERRUPT] = received};

static void leave_reset(uint32_t parts) {
  RESETS_CLEAR = parts;
  while ((RESETS_DONE & parts) != parts) continue;
}

// 12 MHz · 125 / 6 / 2.
static void clocks(void) {
  XOSC_STARTUP = 47;  // 1 ms
  XOSC_CTRL = 0xfab << 12 | 0xaa0;
  while (!(XOSC_STATUS & 1UL << 31)) continue;
  CLK_REF_CTRL = 2;
  while (!(CLK_REF_SELECTED & 1 << 2)) continue;
  leave_reset(PLL_SYS);
  PLL_CS = 1;
  PLL_FBDIV = 125;
  PLL_PWR = 1 << 3;  // its power and its oscillator on, its dividers not yet
  while (!(PLL_CS & 1UL << 31)) continue;
  PLL_PRIM = 6 << 16 | 2 << 12;
  PLL_PWR = 0;
  CLK_SYS_CTRL = 1;
  while (!(CLK_SYS_SELECTED & 1 << 1)) continue;
  CLK_PERI_CTRL = 1 << 11;
}

void port_start(void) {
  clocks();
  leave_reset(IO_BANK0 | PADS_BANK0 | UART0);
  GPIO_CTRL(0) = GPIO_CTRL(1) = 2;  // UART 0
  const uint32_t sixtyfourths = (KHZ * 1000UL * 4 + BAUD / 2) / BAUD;
  UART_IBRD = sixtyfourths >> 6;
  UART_FBRD = sixtyfourths & 63;
  UART_LCR_H = 3 << 5 | 1 << 4;  // 8 bits, with FIFOs
  UART_CR = 1 << 9 | 1 << 8 | 1;
  UART_IMSC = 1 << 6 | 1 << 4;   // bytes wait, or have waited for long
  cortex_enable(UART0_INTERRUPT);
  cortex_start();
}

void port_send(uint8_t byte) {
  while (UART_FR & TX_FULL) continue;
  UART_DR = byte;
}
