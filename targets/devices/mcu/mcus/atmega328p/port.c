// ATmega328P (Arduino Uno): 16 MHz, line on its USART. Timer 1 counts clocks.
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <port.h>

static volatile uint16_t turns;  // of timer 1, 65536 clocks each

ISR(USART_RX_vect) { line_received(UDR0); }
ISR(TIMER1_OVF_vect) { turns++; }

void port_start(void) {
  UCSR0A = 1 << U2X0;
  UBRR0 = (KHZ * 1000UL + 4 * BAUD) / (8 * BAUD) - 1;
  UCSR0C = 1 << UCSZ01 | 1 << UCSZ00;
  UCSR0B = 1 << RXCIE0 | 1 << RXEN0 | 1 << TXEN0;
  TCCR1B = 1 << CS10;
  TIMSK1 = 1 << TOIE1;
  set_sleep_mode(SLEEP_MODE_IDLE);
  sleep_enable();
  sei();
}

void port_send(uint8_t byte) {
  while (!(UCSR0A & 1 << UDRE0)) continue;
  UDR0 = byte;
}

uint32_t port_cycles(void) {
  uint8_t before = SREG;
  cli();
  uint16_t low = TCNT1;
  uint16_t high = turns;
  if (TIFR1 & 1 << TOV1 && low < 0x8000) high++;  // it began again, and the interrupt is still to come
  SREG = before;
  return (uint32_t)high << 16 | low;
}

// Exactly right would be 4.096 ms a turn.
uint16_t port_ms(void) { return (uint16_t)(port_cycles() >> 14); }

void port_idle(void) {
  cli();
  if (line_waiting()) {
    sei();
    return;
  }
  sei();
  sleep_cpu();  // the instruction behind sei is done before any interrupt
}
