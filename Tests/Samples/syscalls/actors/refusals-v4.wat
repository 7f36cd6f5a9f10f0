;; As refusals.wat, with a syscall that only network versions from 21 on declare so.
(module
  (import "vm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
  (import "self" "self_destruct" (func $self_destruct (param i32) (result i32)))
  (memory (export "memory") 1)

  ;; Whatever the method: wants to go away and leave its balance.
  (func (export "invoke") (param $parameters i32) (result i32)
    (local $number i32)
    (local.set $number (call $self_destruct (i32.const 0)))
    (if (local.get $number)
      (then
        (drop
          (call $exit (i32.add (local.get $number) (i32.const 64)) (i32.const 0) (i32.const 0) (i32.const 0)))))
    (i32.const 0))
)
