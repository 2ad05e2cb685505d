// Plays llama.cpp without any JavaScript: prompt, then greedy decode, timed around llama_decode. Usage: llama-driver <folder> <model.gguf> <threads>;
// then each line "<prompt> <decode>" of stdin is answered by a line of JSON (test/peers/player.ts).
//
// It is compiled without llama.cpp's headers and loads the prebuilt libraries of <folder> by dlopen. No layout of a struct is assumed: parameters come
// from the libraries' own *_default_params and go back unread. Under the x86-64 System V ABI structs of more than 16 bytes are returned through a
// pointer and passed as a copy on the stack, so a struct that is larger than the true one carries it whole. That it is larger is checked at run time.
#include <dirent.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if !defined(__x86_64__) || !defined(__linux__)
#error "the driver relies on the x86-64 System V ABI"
#endif

typedef struct { unsigned char bytes[1024]; } params;

typedef void (*log_callback)(int level, const char *text, void *user);

static void *library(const char *folder, const char *prefix) {
  DIR *dir = opendir(folder);
  struct dirent *entry;
  char path[4096] = "";
  size_t length = strlen(prefix);
  while (dir && (entry = readdir(dir)))
    if (!strncmp(entry->d_name, prefix, length) && strstr(entry->d_name + length, "so")) snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
  if (dir) closedir(dir);
  void *handle = *path ? dlopen(path, RTLD_NOW | RTLD_GLOBAL) : NULL;
  if (!handle) {
    fprintf(stderr, "no library %s* in %s: %s\n", prefix, folder, *path ? dlerror() : "not there");
    exit(3);
  }
  return handle;
}

static void *symbol(void *handle, const char *name) {
  void *found = dlsym(handle, name);
  if (!found) {
    fprintf(stderr, "the libraries have no %s\n", name);
    exit(3);
  }
  return found;
}

// Whether a function that returns parameters writes less than a `params`: the same end whatever was there before.
static void check_size(void *function, const char *name) {
  params *(*hidden)(params *) = (params * (*)(params *)) function;
  for (int paint = 0; paint < 2; paint++) {
    params p;
    memset(&p, paint ? 0xA5 : 0x5A, sizeof p);
    hidden(&p);
    for (size_t i = sizeof p / 2; i < sizeof p; i++)
      if (p.bytes[i] != (paint ? 0xA5 : 0x5A)) {
        fprintf(stderr, "%s returns more than %zu bytes\n", name, sizeof p / 2);
        exit(3);
      }
  }
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void quiet(int level, const char *text, void *user) { (void)level, (void)text, (void)user; }

static int32_t top_of(const float *logits, int32_t n) {
  int32_t top = 0;
  for (int32_t i = 1; i < n; i++)
    if (logits[i] > logits[top]) top = i;
  return top;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const char *folder = argv[1];
  library(folder, "libggml-base.");
  void *ggml = library(folder, "libggml.");
  void *llama = library(folder, "libllama.");

  void (*load_backends)(const char *) = symbol(ggml, "ggml_backend_load_all_from_path");
  void (*log_set)(log_callback, void *) = symbol(llama, "llama_log_set");
  const char *(*system_info)(void) = symbol(llama, "llama_print_system_info");
  params (*model_params)(void) = symbol(llama, "llama_model_default_params");
  params (*context_params)(void) = symbol(llama, "llama_context_default_params");
  void *(*load_model)(const char *, params) = symbol(llama, "llama_model_load_from_file");
  void *(*new_context)(void *, params) = symbol(llama, "llama_init_from_model");
  void (*set_threads)(void *, int32_t, int32_t) = symbol(llama, "llama_set_n_threads");
  uint32_t (*context_size)(const void *) = symbol(llama, "llama_n_ctx");
  const void *(*vocab_of)(const void *) = symbol(llama, "llama_model_get_vocab");
  int32_t (*vocab_size)(const void *) = symbol(llama, "llama_vocab_n_tokens");
  void *(*memory_of)(const void *) = symbol(llama, "llama_get_memory");
  void (*clear)(void *, _Bool) = symbol(llama, "llama_memory_clear");
  params (*batch_of)(int32_t *, int32_t) = symbol(llama, "llama_batch_get_one");
  int32_t (*decode)(void *, params) = symbol(llama, "llama_decode");
  float *(*logits_at)(void *, int32_t) = symbol(llama, "llama_get_logits_ith");

  check_size((void *)model_params, "llama_model_default_params");
  check_size((void *)context_params, "llama_context_default_params");
  log_set(quiet, NULL);
  load_backends(folder);
  void *model = load_model(argv[2], model_params());
  void *context = model ? new_context(model, context_params()) : NULL;
  if (!context) {
    fprintf(stderr, "llama.cpp cannot load %s\n", argv[2]);
    return 1;
  }
  set_threads(context, atoi(argv[3]), atoi(argv[3]));
  int32_t vocab = vocab_size(vocab_of(model));
  printf("{\"engine\":\"%s\",\"context\":%u}\n", system_info(), context_size(context));
  fflush(stdout);

  int prompt, count;
  while (scanf("%d %d", &prompt, &count) == 2) {
    int32_t *tokens = malloc(sizeof *tokens * prompt);
    for (int i = 0; i < prompt; i++) tokens[i] = 3 + i % 256;
    clear(memory_of(context), 1);
    double begin = now_ms();
    int failed = decode(context, batch_of(tokens, prompt));
    int32_t token = failed ? 0 : top_of(logits_at(context, -1), vocab);
    double first = now_ms();
    for (int i = 0; i < count && !failed; i++) {
      failed = decode(context, batch_of(&token, 1));
      if (!failed) token = top_of(logits_at(context, -1), vocab);
    }
    double end = now_ms();
    free(tokens);
    if (failed) {
      fprintf(stderr, "llama_decode gave %d\n", failed);
      return 1;
    }
    printf("{\"prefillMs\":%.3f,\"decodeMs\":%.3f,\"last\":%d}\n", first - begin, end - first, token);
    fflush(stdout);
  }
  return 0;
}
