// An AVR in simavr, in lockstep with a host: the same conversation as --stdio of ../../fpga/sim/main.cpp. Its time stands still while nobody talks to it.
//   simavr-line <core> <Hz> <baud> <image of the whole flash>
// On stdin u32 n, u32 wait, n bytes, which go over the line back to back. Then the MCU runs until it has slept for two characters behind an answer, or
// for `wait` characters without one; on stdout u32 m and the m bytes that came.
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_irq.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint8_t out[1 << 16];
static uint32_t came;
static avr_cycle_count_t rest;  // clocks that the MCU slept since a byte came
static avr_t *avr;

static void take(struct avr_irq_t *irq, uint32_t value, void *unused) {
  (void)irq;
  (void)unused;
  if (came < sizeof out) out[came++] = (uint8_t)value;
  rest = 0;
}

// Time does not wait for the wall's.
static void sleep_not(avr_t *a, avr_cycle_count_t how_long) {
  (void)a;
  (void)how_long;
}

static int read_all(void *into, size_t n) {
  for (uint8_t *p = into; n;) {
    const ssize_t got = read(0, p, n);
    if (got <= 0) return 0;
    p += got;
    n -= (size_t)got;
  }
  return 1;
}

static void write_all(const void *from, size_t n) {
  for (const uint8_t *p = from; n;) {
    const ssize_t put = write(1, p, n);
    if (put <= 0) exit(0);
    p += put;
    n -= (size_t)put;
  }
}

static void step(void) {
  const avr_cycle_count_t before = avr->cycle;
  const int state = avr_run(avr);
  if (state == cpu_Done || state == cpu_Crashed) {
    fprintf(stderr, "the agent crashed at %04x\n", avr->pc);
    exit(1);
  }
  if (state == cpu_Sleeping) rest += avr->cycle - before;
}

static void start(const char *core, const char *hz, const char *file) {
  avr = avr_make_mcu_by_name(core);
  FILE *image = fopen(file, "rb");
  if (!avr || !image) {
    fprintf(stderr, "no core %s or no image %s\n", core, file);
    exit(2);
  }
  avr_init(avr);
  avr->frequency = (uint32_t)atol(hz);
  avr->sleep = sleep_not;
  avr->log = LOG_ERROR;
  memset(avr->flash, 0xff, avr->flashend + 1);
  if (fread(avr->flash, 1, avr->flashend + 1, image) == 0) exit(2);
  fclose(image);
  uint32_t flags = 0;
  avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), take, NULL);
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  start(argv[1], argv[2], argv[4]);
  const avr_cycle_count_t character = 10 * (avr_cycle_count_t)avr->frequency / (avr_cycle_count_t)atol(argv[3]);
  avr_irq_t *in = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  while (avr->cycle < avr->frequency / 1000) step();  // it begins
  uint32_t head[2];
  static uint8_t bytes[1 << 16];
  while (read_all(head, sizeof head) && head[0] <= sizeof bytes && read_all(bytes, head[0])) {
    avr_cycle_count_t next = avr->cycle;
    for (uint32_t i = 0; i < head[0]; next += character) {
      while (avr->cycle < next) step();
      avr_raise_irq(in, bytes[i++]);
    }
    while (avr->cycle < next) step();
    rest = 0;
    const avr_cycle_count_t end = avr->cycle + 60 * (avr_cycle_count_t)avr->frequency;
    while (rest < (came ? 2 : head[1]) * character && avr->cycle < end) step();
    if (avr->cycle >= end) {
      fprintf(stderr, "the agent came to no rest, at %04x\n", avr->pc);
      return 1;
    }
    write_all(&came, sizeof came);
    write_all(out, came);
    came = 0;
  }
  return 0;
}
