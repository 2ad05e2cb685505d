// An ATmega328P in simavr with a boot loader in it: avr <boot loader, as bytes for 0x7E00> <flash file>. Standard input and output are its serial line, SIGUSR1 its
// reset. It begins with the first byte that comes; at the end of the input, and at SIGTERM, its flash is written to the file. Never faster than 16 MHz.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <poll.h>
#include <simavr/sim_avr.h>
#include <simavr/avr_uart.h>

#define BOOT 0x7e00    /* byte address of the boot loader, where the fuse BOOTRST makes it begin */
#define MCUSR 0x54     /* why it was reset */
#define EXTRF 2        /* by its pin */
#define SLICE 16000    /* clocks of a millisecond */

static volatile sig_atomic_t pressed = 1, ending = 0;
static int room = 1;

static void press(int signal) { (void)signal; pressed = 1; }
static void stop(int signal) { (void)signal; ending = 1; }
static void said(struct avr_irq_t *irq, uint32_t value, void *param) {
  (void)irq; (void)param;
  const uint8_t byte = (uint8_t)value;
  if (write(1, &byte, 1) != 1) exit(0);
}
static void ready(struct avr_irq_t *irq, uint32_t value, void *param) { (void)irq; (void)value; (void)param; room = 1; }
static void full(struct avr_irq_t *irq, uint32_t value, void *param) { (void)irq; (void)value; (void)param; room = 0; }

static int64_t micros(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void load(avr_t *avr, const char *file) {
  FILE *f = fopen(file, "rb");
  memset(avr->flash, 0xff, avr->flashend + 1);
  if (!f || fread(avr->flash + BOOT, 1, avr->flashend + 1 - BOOT, f) == 0) {
    perror(file);
    exit(1);
  }
  fclose(f);
}

static void save(avr_t *avr, const char *file) {
  FILE *f = fopen(file, "wb");
  if (!f || fwrite(avr->flash, 1, avr->flashend + 1, f) != avr->flashend + 1) perror(file);
  if (f) fclose(f);
  exit(0);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  avr_t *avr = avr_make_mcu_by_name("atmega328p");
  if (!avr) return 1;
  avr_init(avr);
  avr->frequency = 16000000;
  avr->log = LOG_ERROR;
  load(avr, argv[1]);
  avr->codeend = avr->flashend;
  avr->reset_pc = BOOT;
  uint32_t flags = 0;
  avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
  flags &= ~(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
  avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  avr_irq_t *in = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), said, NULL);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), ready, NULL);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), full, NULL);
  signal(SIGUSR1, press);
  signal(SIGTERM, stop);
  signal(SIGHUP, stop);
  signal(SIGPIPE, SIG_IGN);
  avr_cycle_count_t listens = 0;  // a byte that comes before the loader has set up its line would be lost
  struct pollfd on = {0, POLLIN, 0};
  while (poll(&on, 1, -1) < 0) {}
  for (;;) {
    if (ending) save(avr, argv[2]);
    if (pressed) {
      pressed = 0;
      avr_reset(avr);
      avr->pc = BOOT;
      avr->data[MCUSR] = EXTRF;
      listens = avr->cycle + SLICE;
    }
    const int64_t began = micros();
    const avr_cycle_count_t until = avr->cycle + SLICE;
    while (avr->cycle < until) {
      uint8_t byte;
      if (room && avr->cycle > listens && poll(&on, 1, 0) == 1) {
        const ssize_t got = read(0, &byte, 1);
        if (got == 0) save(avr, argv[2]);
        if (got == 1) avr_raise_irq(in, byte);
      }
      for (int i = 0; i < 400 && avr->cycle < until; i++)
        if (avr_run(avr) == cpu_Crashed) save(avr, argv[2]);
    }
    const int64_t left = began + 1000 - micros();
    if (left > 0) usleep((useconds_t)left);
  }
}
