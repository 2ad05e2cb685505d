// Layers (../../fpga/twin/engine.ts): rows of int8 or int4 weights, dense or 2:4, by int8 activations; sums as i32, or requantised to int8.
// Activations of a layer begin on a row of sixteen, and the memory is whole rows, so that a row never goes over its end.
#include <weights.h>

enum { INT8, INT4, INT8S24, INT4S24, MODES };
enum { REQUANTISE = 1, RELU = 2 };

struct layer {
  uint16_t weights, activations, results, rows, steps, parameters;
  uint8_t mode, flags;
};

static uint8_t is_sparse(uint8_t mode) { return mode >= INT8S24; }
// Rows go in pairs.
static uint8_t is_paired(uint8_t mode) { return mode & 1; }

static uint8_t decode(uint16_t word, struct layer *l) {
  const uint8_t *p = memory_word(PARAMETERS, word, 0);
  const uint8_t *q = memory_word(PARAMETERS, word + 1, 0);
  *l = (struct layer){u16_at(p), u16_at(p + 2) & ~1U, u16_at(p + 4), u16_at(p + 6) & 4095, u16_at(q) & 1023, u16_at(q + 4), q[2], q[3]};
  return l->mode < MODES && l->rows && l->steps && !(is_paired(l->mode) && l->rows & 1);
}

static inline int8_t low(uint8_t pair) { return (int8_t)((int8_t)(pair << 4) >> 4); }
static inline int8_t high(uint8_t pair) { return (int8_t)((int8_t)pair >> 4); }

// Of a row, or of both of a pair: values, so that they stay in registers.
struct sums {
  int32_t a, b;
};

#if __GNUC__ >= 8
#define TIMES(n) _Pragma("GCC unroll 8") for (uint8_t i = 0; i < (n); i++)
#else
#define TIMES(n) for (uint8_t i = 0; i < (n); i++)
#endif

// One step of dense weights; x: the first of the step's activations, which lie in pairs four apart.
static inline struct sums dense(uint8_t paired, const uint8_t *w, const int8_t *x, struct sums s) {
  TIMES(4) {
    if (paired) {
      s.a += (int16_t)(low(w[0]) * x[0]);
      s.b += (int16_t)(high(w[0]) * x[0]);
      s.a += (int16_t)(low(w[1]) * x[1]);
      s.b += (int16_t)(high(w[1]) * x[1]);
    } else {
      s.a += (int16_t)((int8_t)w[0] * x[0]);
      s.a += (int16_t)((int8_t)w[1] * x[1]);
    }
    w += 2;
    x += 4;
  }
  return s;
}

// One step of 2:4 weights; x: its sixteen activations, choices: two bits a lane, of a pair of rows one behind the other.
static inline struct sums sparse(uint8_t paired, const uint8_t *w, const int8_t *x, const uint8_t *choices, struct sums s) {
  uint16_t c = u16_at(choices);
  uint16_t d = paired ? u16_at(choices + 2) : 0;
  TIMES(4) {
    if (paired) {
      s.a += (int16_t)(low(w[0]) * x[c & 3]);
      s.b += (int16_t)(high(w[0]) * x[d & 3]);
      s.a += (int16_t)(low(w[1]) * x[c >> 2 & 3]);
      s.b += (int16_t)(high(w[1]) * x[d >> 2 & 3]);
      d >>= 4;
    } else {
      s.a += (int16_t)((int8_t)w[0] * x[c & 3]);
      s.a += (int16_t)((int8_t)w[1] * x[c >> 2 & 3]);
    }
    c >>= 4;
    w += 2;
    x += 4;
  }
  return s;
}

static const int8_t *activations_row(uint16_t row) { return (const int8_t *)activations + 16 * (row & ((1U << (ACTIVATIONS_BITS - 1)) - 1)); }

// Sums of a row or of a pair of rows whose weights begin at `word`, which goes on to those of the next. Made once for each mode.
static inline __attribute__((always_inline)) struct sums row_sums(const struct layer *l, uint8_t mode, uint16_t *word) {
  uint8_t rooms[2][WORD];
  const uint8_t paired = is_paired(mode);
  const uint8_t last = paired ? 1 : 3;  // steps whose choices lie in one word, less one
  const uint8_t *choices = 0;
  uint16_t x = l->activations / 2;
  uint16_t w = *word;
  struct sums s = {0, 0};
  for (uint16_t j = 0; j < l->steps; j++) {
    if (!is_sparse(mode)) {
      s = dense(paired, weights_word(w++, rooms[1]), activations_row(x + (j >> 1)) + 2 * (j & 1), s);
      continue;
    }
    if (!(j & last)) choices = weights_word(w++, rooms[0]);
    s = sparse(paired, weights_word(w++, rooms[1]), activations_row(x + j), choices + (j & last) * (paired ? 4 : 2), s);
  }
  *word = w;
  return s;
}

static struct sums next_sums(const struct layer *l, uint16_t *word) {
  switch (l->mode) {
    case INT8:
      return row_sums(l, INT8, word);
    case INT4:
      return row_sums(l, INT4, word);
    case INT8S24:
      return row_sums(l, INT8S24, word);
    default:
      return row_sums(l, INT4S24, word);
  }
}

// fx16: (sum + bias) · scale / 2^(17 + shift), rounded half up, held to −127 … 127 or with relu to 0 … 127. Shifts of negative numbers go down.
static int8_t requantise(int32_t sum, const uint8_t *row, uint8_t relu) {
  int32_t bias = (int32_t)(u16_at(row) | (uint32_t)u16_at(row + 2) << 16);
  int64_t y = ((((int64_t)sum + bias) * u16_at(row + 4) >> 16 >> (row[6] & 15)) + 1) >> 1;
  return (int8_t)(y > 127 ? 127 : y < (relu ? 0 : -127) ? (relu ? 0 : -127) : y);
}

// Byte `at` of a layer's results.
static void put(const struct layer *l, uint16_t at, uint8_t byte) {
  activations[(WORD * (uint32_t)l->results + at) & ((WORD << ACTIVATIONS_BITS) - 1)] = byte;
}

static void run_layer(const struct layer *l) {
  uint8_t height = is_paired(l->mode) ? 2 : 1;
  uint16_t word = l->weights;
  uint16_t at = 0;
  for (uint16_t r = 0; r < l->rows; r += height) {
    struct sums s = next_sums(l, &word);
    for (uint8_t h = 0; h < height; h++) {
      int32_t sum = h ? s.b : s.a;
      if (l->flags & REQUANTISE)
        put(l, at++, (uint8_t)requantise(sum, memory_word(PARAMETERS, l->parameters + r + h, 0), l->flags & RELU));
      else
        for (uint8_t i = 0; i < 4; i++) put(l, at++, (uint8_t)((uint32_t)sum >> 8 * i));
    }
  }
  while (at % WORD) put(l, at++, 0);
}

uint8_t engine_run(uint16_t first, uint8_t count) {
  for (; count--; first += 2) {
    struct layer l;
    if (!decode(first, &l)) return 0;
    run_layer(&l);
  }
  return 1;
}
