;; Makes syscalls that are refused, in ways that both generations document alike and no recorded vector shows.
;;
;; A method makes one syscall. When it succeeds the method returns nothing; error number N ends it with exit code 64 + N.
(module
  (import "vm" "message_context" (func $context (param i32) (result i32)))
  (import "vm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
  (import "ipld" "block_open" (func $open (param i32 i32) (result i32)))
  (import "ipld" "block_create" (func $create (param i32 i64 i32 i32) (result i32)))
  (import "ipld" "block_link" (func $link (param i32 i32 i64 i32 i32 i32) (result i32)))
  (import "self" "root" (func $root (param i32 i32 i32) (result i32)))
  (import "self" "set_root" (func $set_root (param i32) (result i32)))
  (import "actor" "balance_of" (func $balance_of (param i32 i64) (result i32)))
  (import "actor" "lookup_delegated_address" (func $lookup (param i32 i64 i32 i32) (result i32)))
  (import "actor" "resolve_address" (func $resolve (param i32 i32 i32) (result i32)))
  (import "send" "send" (func $send (param i32 i32 i32 i64 i32 i64 i64 i64 i64) (result i32)))
  (import "debug" "enabled" (func $enabled (param i32) (result i32)))
  (import "debug" "log" (func $log (param i32 i32) (result i32)))
  (import "debug" "store_artifact" (func $artifact (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (type $method (func (result i32)))
  (table 20 funcref)
  (elem (i32.const 2)
    $open_garbage $create_outside $link_short $link_sha256 $set_root_readonly $balance_outside $lookup_outside
    $resolve_unknown $is_debugging $log_text $log_garbage $log_outside $artifact_named $artifact_elsewhere
    $artifact_outside $artifact_garbage $set_root_same)

  ;; 0..79 message context, 96.. results, 512.. a CID
  (data (i32.const 256) "\01wwwwwwwwwwwwwwwwwwww") ;; an f1 address that no actor has
  (data (i32.const 288) "\00\ed\07")               ;; f01005, this actor
  (data (i32.const 320) "42 is Gr\c3\bc\c3\9fe")   ;; 13 bytes of UTF-8
  (data (i32.const 384) "\ff\fe")                  ;; no UTF-8
  (data (i32.const 400) "notes.txt")
  (data (i32.const 416) "a/b")
  (data (i32.const 448) "\05\71")                  ;; a CID of version 5, which there is not

  (func $open_garbage (result i32) (call $open (i32.const 96) (i32.const 448)))
  (func $create_outside (result i32)
    (call $create (i32.const 96) (i64.const 0x55) (i32.const 65535) (i32.const 2)))
  (func $link_short (result i32)
    (call $link (i32.const 96) (i32.const 1) (i64.const 0xb220) (i32.const 20) (i32.const 512) (i32.const 100)))
  (func $link_sha256 (result i32)
    (call $link (i32.const 96) (i32.const 1) (i64.const 0x12) (i32.const 32) (i32.const 512) (i32.const 100)))
  ;; Calls itself read-only.
  (func $set_root_readonly (result i32)
    (if (call $send (i32.const 96) (i32.const 288) (i32.const 3) (i64.const 18) (i32.const 0)
          (i64.const 0) (i64.const 0) (i64.const -1) (i64.const 1))
      (then (return (i32.const 100))))
    (i32.sub (i32.load (i32.const 96)) (i32.const 64)))
  (func $set_root_same (result i32)
    (if (call $root (i32.const 96) (i32.const 512) (i32.const 100)) (then (return (i32.const 100))))
    (call $set_root (i32.const 512)))
  (func $balance_outside (result i32) (call $balance_of (i32.const 65535) (i64.const 1)))
  (func $lookup_outside (result i32)
    (call $lookup (i32.const 96) (i64.const 1) (i32.const 65535) (i32.const 2)))
  (func $resolve_unknown (result i32) (call $resolve (i32.const 96) (i32.const 256) (i32.const 21)))

  ;; Succeeds where debugging is on; else error number 50.
  (func $is_debugging (result i32)
    (if (call $enabled (i32.const 96)) (then (return (i32.const 100))))
    (select (i32.const 50) (i32.const 0) (i32.load (i32.const 96))))
  (func $log_text (result i32) (call $log (i32.const 320) (i32.const 13)))
  (func $log_garbage (result i32) (call $log (i32.const 384) (i32.const 2)))
  (func $log_outside (result i32) (call $log (i32.const 65535) (i32.const 2)))
  (func $artifact_named (result i32)
    (call $artifact (i32.const 400) (i32.const 9) (i32.const 320) (i32.const 13)))
  (func $artifact_elsewhere (result i32)
    (call $artifact (i32.const 416) (i32.const 3) (i32.const 320) (i32.const 13)))
  (func $artifact_outside (result i32)
    (call $artifact (i32.const 400) (i32.const 9) (i32.const 65535) (i32.const 2)))
  (func $artifact_garbage (result i32)
    (call $artifact (i32.const 384) (i32.const 2) (i32.const 320) (i32.const 13)))

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
