// The agent: the engine of the gateware in C, behind the same frames. Plain C99 without an allocator; every array has its size here.
// What is said in frames is told by ../../fpga/link/protocol.ts, a layer by ../../fpga/twin/layer.ts, how weights lie by ../../fpga/twin/pack.ts.
#ifndef AGENT_H
#define AGENT_H
#include <port.h>
#include <stdint.h>

// Constants stay in flash where RAM is another address space.
#ifdef __AVR__
#define ROM const __flash
#else
#define ROM const
#endif

enum { WORD = 8, HEADER = 9, VERSION = 1 };
enum { REQUEST = 1, REPLY = 2, NAK = 3 };
// Words in one READ: a reply's clocks stand before them.
enum { MAX_WORDS = (MAX_PAYLOAD - 4) / WORD };
// Silence in ms that ends a frame which is not whole: longer than a host's adapter pauses, shorter than a host's patience.
enum { QUIET_MS = 100 };

// link.c
struct frame {
  uint8_t type, op, seq, flags;
  uint16_t length;
  const uint8_t *payload;
};
enum parsed { NOTHING, WHOLE, DAMAGED };
// Takes a byte of the line. With DAMAGED only type, op and seq of `frame` are set.
enum parsed parser_push(uint8_t byte, struct frame *frame);
// Has a part of something come?
uint8_t parser_within(void);
void parser_quiet(void);
void frame_send(const struct frame *frame);
// line.c
int16_t line_take(void);
extern uint16_t line_lost;

// crc.c: goes on from what came before; both begin at 0
uint8_t crc8(uint8_t crc, uint8_t byte);
uint32_t crc32(uint32_t crc, const uint8_t *bytes, uint16_t length);

// memory.c: addresses are in words and begin again at the end
enum { WEIGHTS, ACTIVATIONS, PARAMETERS, MEMORIES };
extern uint8_t activations[], parameters[];
// The word, itself or a copy in `room`.
const uint8_t *memory_word(uint8_t memory, uint16_t word, uint8_t room[WORD]);
void memory_write(uint8_t memory, uint16_t word, const uint8_t *bytes, uint16_t words);

// engine.c: runs layers from a word of the parameters; 0 if one of them is none
uint8_t engine_run(uint16_t first, uint8_t count);

// command.c
void command_frame(const struct frame *frame);
void command_damaged(uint8_t op);

static inline uint16_t u16_at(const uint8_t *p) { return (uint16_t)(p[0] | (uint16_t)p[1] << 8); }
static inline void put_u16(uint8_t *p, uint16_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
}
static inline void put_u32(uint8_t *p, uint32_t v) {
  put_u16(p, (uint16_t)v);
  put_u16(p + 2, (uint16_t)(v >> 16));
}

#endif
