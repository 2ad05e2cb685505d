// Weights in flash. A page that is right already is left as it is: flash wears out after 10,000 times.
#include <avr/boot.h>
#include <avr/interrupt.h>
#include <weights.h>

enum { WORDS_A_PAGE = SPM_PAGESIZE / WORD };

// Puts bytes into a page. SPM works in the boot section only, which with every setting of the fuses holds the last 512 bytes; while it writes, the
// rest of the flash cannot be read, interrupts' code included. Bytes that come meanwhile are lost: the window of one leaves none on the way.
__attribute__((section(".bootloader"), noinline)) static void write_page(uint16_t page, uint8_t from, const uint8_t *bytes, uint8_t count) {
  uint8_t before = SREG;
  cli();
  for (uint8_t i = 0; i < SPM_PAGESIZE; i += 2) {
    uint8_t pair[2];
    for (uint8_t h = 0; h < 2; h++) {
      uint8_t at = i + h;
      pair[h] = at >= from && at < from + count ? bytes[at - from] : pgm_read_byte(page + at);
    }
    boot_page_fill(page + i, (uint16_t)(pair[0] | pair[1] << 8));
  }
  boot_page_erase(page);
  boot_spm_busy_wait();
  boot_page_write(page);
  boot_spm_busy_wait();
  boot_rww_enable();
  SREG = before;
}

void weights_write(uint16_t word, const uint8_t *bytes, uint16_t words) {
  while (words) {
    word &= (1U << WEIGHTS_BITS) - 1;
    uint8_t first = word % WORDS_A_PAGE;
    uint8_t part = WORDS_A_PAGE - first;
    if (part > words) part = (uint8_t)words;
    uint16_t address = WEIGHTS_BEGIN + WORD * word;
    if (memcmp_P(bytes, (const void *)address, WORD * part)) write_page(address - WORD * first, WORD * first, bytes, WORD * part);
    word += part;
    bytes += WORD * part;
    words -= part;
  }
}
