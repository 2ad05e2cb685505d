// The agent's loop: bytes of the line to the parser, frames to the commands, sleep between.
#include "agent.h"

int main(void) {
  struct frame frame;
  uint16_t last = 0;  // when the last byte came, in ms
  port_start();
  for (;;) {
    int16_t byte = line_take();
    if (byte < 0) {
      if (parser_within() && (uint16_t)(port_ms() - last) > QUIET_MS) parser_quiet();
      port_idle();
      continue;
    }
    enum parsed parsed = parser_push((uint8_t)byte, &frame);
    if (parsed == WHOLE) command_frame(&frame);
    if (parsed == DAMAGED) command_damaged(frame.op);
    last = port_ms();
  }
}
