// What an agent's image says of itself to whoever writes it onto a board (targets/flash/image/record.ts). Nothing reads it here; the linker is told to keep it.
#include "agent.h"

extern ROM char agent_record[];
ROM char agent_record[] = RECORD;
