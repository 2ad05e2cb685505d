// Where a hart begins: stack, zeroed RAM, main.
  .section .boot, "ax"
  .global begin
begin:
  la sp, stack_top
  la t0, bss_begin
  la t1, bss_end
1:
  bgeu t0, t1, 2f
  sw zero, 0(t0)
  addi t0, t0, 4
  j 1b
2:
  call main
  j 2b
