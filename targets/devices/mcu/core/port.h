// What an MCU's folder gives: its clock, its serial line, its sleep. Nothing else of a chip is known to the core.
// The build defines (targets/hosts/node/agents/build.ts, from the folder's mcu.ts): RECORD, BOARD, BUILD, KHZ, BAUD, MAX_PAYLOAD, WINDOW, RING_BITS, WEIGHTS_BITS,
// ACTIVATIONS_BITS, PARAMETERS_BITS.
#ifndef PORT_H
#define PORT_H
#include <stdint.h>

// Clocks, and the line at BAUD with 8 bits and no parity; every byte that comes is given to line_received, from an interrupt.
void port_start(void);
// Waits until the line has room for the byte.
void port_send(uint8_t byte);
// Clocks since some beginning, modulo 2^32.
uint32_t port_cycles(void);
// Milliseconds since some beginning, modulo 2^16, in steps of 10 or less; goes on while the MCU sleeps.
uint16_t port_ms(void);
// Sleeps until an interrupt unless line_waiting(), at most 10 ms.
void port_idle(void);

// The core's side (line.c). A byte that finds no room is lost and counted.
void line_received(uint8_t byte);
uint8_t line_waiting(void);

#endif
