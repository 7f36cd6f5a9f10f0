;; Sends messages on, written by hand.
;;
;; Method 2: parameters are an ID address of 3 bytes, a method number byte, and parameters for it.
;;           Sends them with value 0 and returns what came back; a failing call's exit code is passed on.
;; Method 3: executes `unreachable`.
;; Method 4: reads past the end of memory.
;; Method 5: recurses until the stack limit ends it.
;; Method 6: loops until the gas ends it.
;; Method 7: divides by zero.
(module
  (import "vm" "message_context" (func $context (param i32) (result i32)))
  (import "vm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
  (import "ipld" "block_stat" (func $stat (param i32 i32) (result i32)))
  (import "ipld" "block_read" (func $read (param i32 i32 i32 i32 i32) (result i32)))
  (import "ipld" "block_create" (func $create (param i32 i64 i32 i32) (result i32)))
  (import "send" "send"
    (func $send (param i32 i32 i32 i64 i32 i64 i64 i64 i64) (result i32)))
  (memory (export "memory") 1)
  (type $method (func (param i32) (result i32)))
  (table 8 funcref)
  (elem (i32.const 2) $forward $trap $wild $deep $endless $divide)

  ;; 0..79 message context, 96 scratch, 128.. parameters
  (func $forward (param $parameters i32) (result i32)
    (local $size i32)
    (if (call $stat (i32.const 96) (local.get $parameters)) (then (call $fail (i32.const 16))))
    (local.set $size (i32.load (i32.const 104)))
    (if (i32.lt_u (local.get $size) (i32.const 4)) (then (call $fail (i32.const 16))))
    (if (i32.gt_u (local.get $size) (i32.const 1024)) (then (call $fail (i32.const 16))))
    (if (call $read (i32.const 96) (local.get $parameters) (i32.const 0) (i32.const 128) (local.get $size))
      (then (call $fail (i32.const 16))))
    (i32.store (i32.const 96) (i32.const 0))
    (if (i32.gt_u (local.get $size) (i32.const 4))
      (then
        (drop
          (call $create (i32.const 96) (i64.const 0x55) (i32.const 132)
            (i32.sub (local.get $size) (i32.const 4))))))
    (if
      (call $send (i32.const 64) (i32.const 128) (i32.const 3) (i64.load8_u (i32.const 131))
        (i32.load (i32.const 96)) (i64.const 0) (i64.const 0) (i64.const -1) (i64.const 0))
      (then (call $fail (i32.const 18))))
    (if (i32.load (i32.const 64)) (then (call $fail (i32.load (i32.const 64)))))
    (i32.load (i32.const 68)))

  (func $fail (param $code i32)
    (drop (call $exit (local.get $code) (i32.const 0) (i32.const 0) (i32.const 0))))
  (func $trap (param i32) (result i32) unreachable)
  (func $wild (param i32) (result i32) (i32.load (i32.const 0xffffff)))
  (func $deep (param i32) (result i32) (call $deep (i32.add (local.get 0) (i32.const 1))))
  (func $endless (param i32) (result i32) (loop $again (br $again)) (i32.const 0))
  (func $divide (param i32) (result i32)
    (i32.div_u (i32.const 1) (i32.load (i32.const 1024))))

  (func (export "invoke") (param $parameters i32) (result i32)
    (drop (call $context (i32.const 0)))
    (if (i64.gt_u (i64.sub (i64.load (i32.const 32)) (i64.const 2)) (i64.const 5))
      (then (call $fail (i32.const 22))))
    (call_indirect (type $method)
      (local.get $parameters) (i32.wrap_i64 (i64.load (i32.const 32)))))
)
