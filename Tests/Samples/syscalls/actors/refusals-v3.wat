;; As refusals.wat, with syscalls that only network versions 18 to 20 declare so.
(module
  (import "vm" "message_context" (func $context (param i32) (result i32)))
  (import "vm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
  (import "self" "self_destruct" (func $self_destruct (param i32 i32) (result i32)))
  (import "rand" "get_chain_randomness" (func $chain (param i32 i64 i64 i32 i32) (result i32)))
  (import "rand" "get_beacon_randomness" (func $beacon (param i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (type $method (func (result i32)))
  (table 7 funcref)
  (elem (i32.const 2) $to_garbage $to_unknown $to_itself $chain_outside $beacon_outside)

  (data (i32.const 256) "\01wwwwwwwwwwwwwwwwwwww") ;; an f1 address that no actor has
  (data (i32.const 288) "\00\ee\07")               ;; f01006, this actor
  (data (i32.const 448) "\07\71")                  ;; an address of protocol 7, which there is not

  (func $to_garbage (result i32) (call $self_destruct (i32.const 448) (i32.const 2)))
  (func $to_unknown (result i32) (call $self_destruct (i32.const 256) (i32.const 21)))
  (func $to_itself (result i32) (call $self_destruct (i32.const 288) (i32.const 3)))
  (func $chain_outside (result i32)
    (call $chain (i32.const 96) (i64.const 1) (i64.const 1) (i32.const 65535) (i32.const 2)))
  (func $beacon_outside (result i32)
    (call $beacon (i32.const 96) (i64.const 1) (i64.const 1) (i32.const 65535) (i32.const 2)))

  (func (export "invoke") (param $parameters i32) (result i32)
    (local $number i32)
    (drop (call $context (i32.const 0)))
    (local.set $number (call_indirect (type $method) (i32.wrap_i64 (i64.load (i32.const 32)))))
    (if (local.get $number)
      (then
        (drop
          (call $exit (i32.add (local.get $number) (i32.const 64)) (i32.const 0) (i32.const 0) (i32.const 0)))))
    (i32.const 0))
)
