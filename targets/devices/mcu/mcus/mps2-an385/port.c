// Arm MPS2+ with the AN385 image: a Cortex-M3 at 25 MHz, line on CMSDK UART 0.
#include <cortex.h>
#include <port.h>

#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CTRL REGISTER(0x40004008)
#define UART_INTCLEAR REGISTER(0x4000400c)
#define UART_BAUDDIV REGISTER(0x40004010)
enum { TX_FULL = 1, RX_FULL = 2 };           // UART_STATE
enum { TX_ON = 1, RX_ON = 2, RX_IRQ = 8 };   // UART_CTRL
enum { RX_CAME = 2 };                        // UART_INTCLEAR
enum { UART_RX_INTERRUPT = 0 };

static void received(void) {
  UART_INTCLEAR = RX_CAME;
  while (UART_STATE & RX_FULL) line_received((uint8_t)UART_DATA);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16 + 32])(void) = {CORTEX_VECTORS, [16 + UART_RX_INTERRUPT] = received};

void port_start(void) {
  UART_BAUDDIV = KHZ * 1000UL / BAUD;
  UART_CTRL = TX_ON | RX_ON | RX_IRQ;
  cortex_enable(UART_RX_INTERRUPT);
  cortex_start();
}

void port_send(uint8_t byte) {
  while (UART_STATE & TX_FULL) continue;
  UART_DATA = byte;
}
