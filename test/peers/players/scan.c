// The selective scan of Mamba-1 in plain C, one token a step: a yardstick for our kernel. Prints the milliseconds of `steps` steps.
//   scan CHANNELS STATES STEPS
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static float *made(int n, unsigned seed) {
  float *v = aligned_alloc(64, ((size_t)n * 4 + 63) / 64 * 64);
  for (int i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    v[i] = (float)(seed >> 8) / (1 << 23) - 1;
  }
  return v;
}

static void step(int channels, int states, const float *restrict x, const float *restrict dt, const float *restrict a, const float *restrict b, const float *restrict c,
                 const float *restrict d, const float *restrict z, float *restrict h, float *restrict y) {
  for (int i = 0; i < channels; i++) {
    const float delta = log1pf(expf(dt[i]));
    const float input = delta * x[i];
    float sum = d[i] * x[i];
    for (int n = 0; n < states; n++) {
      const int at = i * states + n;
      h[at] = expf(delta * a[at]) * h[at] + input * b[n];
      sum += c[n] * h[at];
    }
    y[i] = sum * z[i] / (1 + expf(-z[i]));
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const int channels = atoi(argv[1]), states = atoi(argv[2]), steps = atoi(argv[3]);
  float *x = made(channels, 1), *dt = made(channels, 2), *a = made(channels * states, 3), *b = made(states, 4), *c = made(states, 5);
  float *d = made(channels, 6), *z = made(channels, 7), *h = calloc((size_t)channels * states, 4), *y = made(channels, 8);
  for (int i = 0; i < channels; i++) dt[i] -= 2;
  for (int i = 0; i < channels * states; i++) a[i] = -1 - (float)(i % states);
  struct timespec from, to;
  for (int i = 0; i < steps; i++) step(channels, states, x, dt, a, b, c, d, z, h, y);
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int i = 0; i < steps; i++) step(channels, states, x, dt, a, b, c, d, z, h, y);
  clock_gettime(CLOCK_MONOTONIC, &to);
  float sum = 0;
  for (int i = 0; i < channels; i++) sum += y[i];
  printf("%.6f\n", (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6 + 0 * sum);
  return 0;
}
