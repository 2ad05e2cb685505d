// What is asked for in frames, and the rules of the sequence (../../fpga/link/protocol.ts): a request that comes again is answered again, not done again.
#include "agent.h"

enum { HELLO, WRITE, READ, SUM, RUN, STATUS };
enum { OK, MALFORMED, BAD_LAYER };
enum { NO_SESSION = 1 };
// Bytes of HELLO's reply.
enum { HELLO_BYTES = 36 };

struct reply {
  uint8_t there, op, seq, status;
  uint16_t length;
  uint8_t payload[MAX_PAYLOAD];
};

static struct reply kept[WINDOW];
static uint8_t live, expected;
static uint32_t cycles;  // of the last RUN
static uint16_t good, bad;

static ROM uint8_t NAME[8] = BOARD;
static ROM uint8_t IMAGE[8] = {BUILD};

static void nak(uint8_t op) {
  frame_send(&(struct frame){NAK, op, expected, live ? 0 : NO_SESSION, 0, 0});
}

static void answer(const struct reply *r) {
  frame_send(&(struct frame){REPLY, r->op, r->seq, r->status, r->length, r->payload});
}

// What the device is. It multiplies less than once a clock, which lanes of 0 say.
static void hello(struct reply *r) {
  uint8_t *p = r->payload;
  p[4] = VERSION;
  p[5] = WINDOW;
  put_u16(p + 6, MAX_PAYLOAD);
  for (uint8_t i = 0; i < 8; i++) {
    p[8 + i] = NAME[i];
    p[16 + i] = IMAGE[i];
  }
  put_u16(p + 24, 1U << WEIGHTS_BITS);
  put_u16(p + 26, 1U << ACTIVATIONS_BITS);
  put_u16(p + 28, 1U << PARAMETERS_BITS);
  p[30] = p[31] = 0;
  put_u32(p + 32, KHZ);
  r->length = HELLO_BYTES;
}

static uint8_t write(const struct frame *f) {
  const uint8_t *p = f->payload;
  if (f->length < 4 + WORD || f->length % WORD != 4 || p[0] >= MEMORIES) return MALFORMED;
  memory_write(p[0], u16_at(p + 2), p + 4, (f->length - 4) / WORD);
  return OK;
}

static uint8_t run(uint16_t first, uint8_t count) {
  uint32_t start = port_cycles();
  uint8_t right = engine_run(first, count);
  cycles = count ? port_cycles() - start : 0;
  return right ? OK : BAD_LAYER;
}

static uint8_t read(uint8_t memory, uint16_t word, uint16_t count, struct reply *r) {
  if (count > MAX_WORDS) return MALFORMED;
  uint8_t room[WORD];
  for (uint8_t *to = r->payload + 4; count--; word++) {
    const uint8_t *from = memory_word(memory, word, room);
    for (uint8_t i = 0; i < WORD; i++) *to++ = from[i];
    r->length += WORD;
  }
  return OK;
}

static uint8_t sum(uint8_t memory, uint16_t word, uint16_t count, struct reply *r) {
  uint8_t room[WORD];
  uint32_t crc = 0;
  while (count--) crc = crc32(crc, memory_word(memory, word++, room), WORD);
  put_u32(r->payload + 4, crc);
  r->length += 4;
  return OK;
}

// Does what is asked and puts what there is to say behind the four bytes of clocks.
static uint8_t perform(const struct frame *f, struct reply *r) {
  const uint8_t *p = f->payload;
  switch (f->op) {
    case HELLO:
      hello(r);
      return OK;
    case WRITE:
      return write(f);
    case STATUS:
      put_u16(r->payload + 4, good);
      put_u16(r->payload + 6, bad);
      put_u16(r->payload + 8, line_lost);
      r->length += 6;
      return OK;
  }
  if (f->length != 6 || f->op > RUN) return MALFORMED;
  uint16_t word = u16_at(p + 2);
  uint16_t count = u16_at(p + 4);
  if (f->op == RUN) return run(word, (uint8_t)count);
  if (p[0] >= MEMORIES) return MALFORMED;
  return f->op == READ ? read(p[0], word, count, r) : sum(p[0], word, count, r);
}

// The session begins with this request.
static void begin(uint8_t seq) {
  live = 1;
  expected = seq;
  for (uint8_t i = 0; i < WINDOW; i++) kept[i].there = 0;
}

void command_frame(const struct frame *f) {
  good++;
  struct reply *r = &kept[f->seq % WINDOW];
  uint8_t behind = (uint8_t)(expected - f->seq);
  if (f->op == HELLO) {
    begin(f->seq);
  } else if (live && r->there && r->seq == f->seq && behind >= 1 && behind <= WINDOW) {
    answer(r);
    return;
  } else if (!live || f->seq != expected) {
    nak(f->op);
    return;
  }
  expected = f->seq + 1;
  r->there = 1;
  r->op = f->op;
  r->seq = f->seq;
  r->length = 4;
  r->status = perform(f, r);
  put_u32(r->payload, cycles);
  answer(r);
}

void command_damaged(uint8_t op) {
  bad++;
  nak(op);
}
