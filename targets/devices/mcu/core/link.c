// Frames (../../fpga/link/frame.ts): found in a stream of bytes as rtl/frame_rx.v finds them, every nine bytes that lie behind one another tried as a
// header, and sent.
#include "agent.h"

static uint8_t window[HEADER];   // the last bytes, or the header while its body comes
static uint8_t held;             // of them
static uint8_t body[MAX_PAYLOAD + 4];
static uint16_t at, wanted;      // bytes of the body; none is wanted while a header is looked for

static uint8_t checksum8(const uint8_t *header) {
  uint8_t crc = 0;
  for (uint8_t i = 2; i < 8; i++) crc = crc8(crc, header[i]);
  return crc;
}

static void hunt(uint8_t byte) {
  if (held == HEADER) {
    for (uint8_t i = 1; i < HEADER; i++) window[i - 1] = window[i];
    held--;
  }
  window[held++] = byte;
  if (held < HEADER || window[0] != 0xa5 || window[1] != 0x5a || window[2] != (VERSION << 4 | REQUEST)) return;
  uint16_t length = u16_at(window + 6);
  if (length > MAX_PAYLOAD || checksum8(window) != window[8]) return;
  wanted = length + 4;
  at = 0;
}

enum parsed parser_push(uint8_t byte, struct frame *frame) {
  if (!wanted) {
    hunt(byte);
    return NOTHING;
  }
  if (at < sizeof body) body[at++] = byte;
  if (at < wanted) return NOTHING;
  uint16_t length = wanted - 4;
  uint32_t crc = crc32(crc32(0, window + 2, HEADER - 2), body, length);
  uint32_t sent = u16_at(body + length) | (uint32_t)u16_at(body + length + 2) << 16;
  *frame = (struct frame){window[2] & 15, window[3], window[4], window[5], length, body};
  parser_quiet();
  return crc == sent ? WHOLE : DAMAGED;
}

uint8_t parser_within(void) { return held != 0; }

void parser_quiet(void) {
  held = 0;
  wanted = 0;
}

void frame_send(const struct frame *f) {
  uint8_t header[HEADER] = {0xa5, 0x5a, (uint8_t)(VERSION << 4 | f->type), f->op, f->seq, f->flags, (uint8_t)f->length, (uint8_t)(f->length >> 8), 0};
  header[8] = checksum8(header);
  uint32_t crc = crc32(crc32(0, header + 2, HEADER - 2), f->payload, f->length);
  for (uint8_t i = 0; i < HEADER; i++) port_send(header[i]);
  for (uint16_t i = 0; i < f->length; i++) port_send(f->payload[i]);
  for (uint8_t i = 0; i < 4; i++, crc >>= 8) port_send((uint8_t)crc);
}
