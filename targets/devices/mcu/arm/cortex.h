// What Cortex-M cores have in common: how they begin, SysTick as the counter of clocks, sleep.
#ifndef CORTEX_H
#define CORTEX_H
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

// Vectors 0 … 15: the stack, cortex_reset, and faults, which stop. Behind them an MCU's own interrupts.
#define CORTEX_VECTORS                                                                                                                                                      \
  (void (*)(void))(uintptr_t)&stack_top, cortex_reset, cortex_fault, cortex_fault, cortex_fault, cortex_fault, cortex_fault, 0, 0, 0, 0, cortex_fault, cortex_fault, 0, \
    cortex_fault, cortex_tick

extern uint32_t stack_top;
void cortex_reset(void);
void cortex_fault(void);
void cortex_tick(void);
// Starts SysTick with KHZ clocks a ms.
void cortex_start(void);
// Lets an interrupt of the MCU through.
static inline void cortex_enable(uint8_t interrupt) { REGISTER(0xe000e100) = 1UL << interrupt; }

#endif
