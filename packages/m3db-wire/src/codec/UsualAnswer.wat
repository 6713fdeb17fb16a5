;; One pass over the elements of a block answer, in step with the elements of the request (UsualAnswer.ts says which are usual).
;; Assembled bytes: UsualAnswerModule.ts; a test assembles this file again, with $update of Adler32.wat (m3tsz), and compares.
;;
;; Imported memory: masks of $update at 0, where the pass ended at 48; then as the caller likes, request elements, answer and
;; columns, with 16 readable bytes before the answer and 64 behind it. Reads behind the answer decide nothing: whatever
;; is believed lies before the position that is compared with the end.
;;
;; A column row: 16 bytes, little-endian: head's offset from $base, head's length, tail's length, checksum.
(module
  (import "kernel" "memory" (memory 1))
  (data (i32.const 0) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff")

  ;; @update

  ;; request: its first element · at, end: the answer's first element, and where its last must end · base: the answer's byte 0 ·
  ;; rows: columns · items: elements of the request. The number of leading elements that are usual.
  (func (export "walk")
    (param $request i32) (param $at i32) (param $end i32) (param $base i32) (param $rows i32) (param $items i32) (result i32)
    (local $count i32) (local $same i32) (local $i i32) (local $p i32)
    (local $head i32) (local $headLength i32) (local $tailLength i32) (local $checksum i32)
    (block $stop
      (loop $elements
        (br_if $stop (i32.eq (local.get $count) (local.get $items)))
        ;; Header, length and bytes of the id: equal in both. A length, big-endian: bytes 1 and 3, then 0 and 2, by rotation.
        (local.set $same (i32.load offset=3 (local.get $request)))
        (local.set $same
          (i32.add
            (i32.const 7)
            (i32.or
              (i32.and (i32.rotl (local.get $same) (i32.const 8)) (i32.const 0x00ff00ff))
              (i32.and (i32.rotr (local.get $same) (i32.const 8)) (i32.const 0xff00ff00)))))
        (br_if $stop (i32.gt_u (local.get $same) (i32.sub (local.get $end) (local.get $at))))
        (if (i32.ge_u (local.get $same) (i32.const 16))
          (then
            (local.set $i (i32.const 0))
            (local.set $p (i32.sub (local.get $same) (i32.const 16)))
            (loop $vectors
              (br_if $stop
                (v128.any_true
                  (v128.xor
                    (v128.load (i32.add (local.get $at) (local.get $i)))
                    (v128.load (i32.add (local.get $request) (local.get $i))))))
              (local.set $i (i32.add (local.get $i) (i32.const 16)))
              (br_if $vectors (i32.lt_u (local.get $i) (local.get $p))))
            (br_if $stop
              (v128.any_true
                (v128.xor
                  (v128.load (i32.add (local.get $at) (local.get $p)))
                  (v128.load (i32.add (local.get $request) (local.get $p)))))))
          (else
            (local.set $i (i32.const 0))
            (loop $bytes
              (br_if $stop
                (i32.ne
                  (i32.load8_u (i32.add (local.get $at) (local.get $i)))
                  (i32.load8_u (i32.add (local.get $request) (local.get $i)))))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $bytes (i32.lt_u (local.get $i) (local.get $same))))))
        (local.set $p (i32.add (local.get $at) (local.get $same)))
        (local.set $request (i32.add (local.get $request) (local.get $same)))

        ;; List of one block, 0f 0002 0c 00000001 · start 0a 0001 and the 8 bytes asked for ·
        ;; segments 0c 0002 · merged 0c 0001 · head 0b 0001.
        (br_if $stop (i64.ne (i64.load (local.get $p)) (i64.const 0x010000000c02000f)))
        (br_if $stop (i32.ne (i32.and (i32.load offset=8 (local.get $p)) (i32.const 0xffffff)) (i32.const 0x01000a)))
        (br_if $stop (i64.ne (i64.load offset=11 (local.get $p)) (i64.load offset=8 (local.get $request))))
        (br_if $stop (i64.ne (i64.load offset=19 (local.get $p)) (i64.const 0x000b01000c02000c)))
        (br_if $stop (i32.ne (i32.load8_u offset=27 (local.get $p)) (i32.const 1)))
        (local.set $headLength (i32.load offset=28 (local.get $p)))
        (local.set $headLength
          (i32.or
            (i32.and (i32.rotl (local.get $headLength) (i32.const 8)) (i32.const 0x00ff00ff))
            (i32.and (i32.rotr (local.get $headLength) (i32.const 8)) (i32.const 0xff00ff00))))
        (local.set $head (i32.add (local.get $p) (i32.const 32)))
        (br_if $stop (i32.gt_u (local.get $head) (local.get $end)))
        (br_if $stop (i32.gt_u (local.get $headLength) (i32.sub (local.get $end) (local.get $head))))

        ;; Tail 0b 0002.
        (local.set $p (i32.add (local.get $head) (local.get $headLength)))
        (br_if $stop (i32.ne (i32.and (i32.load (local.get $p)) (i32.const 0xffffff)) (i32.const 0x02000b)))
        (local.set $tailLength (i32.load offset=3 (local.get $p)))
        (local.set $tailLength
          (i32.or
            (i32.and (i32.rotl (local.get $tailLength) (i32.const 8)) (i32.const 0x00ff00ff))
            (i32.and (i32.rotr (local.get $tailLength) (i32.const 8)) (i32.const 0xff00ff00))))
        (local.set $p (i32.add (local.get $p) (i32.const 7)))
        (br_if $stop (i32.gt_u (local.get $p) (local.get $end)))
        (br_if $stop (i32.gt_u (local.get $tailLength) (i32.sub (local.get $end) (local.get $p))))
        (br_if $stop (i32.eqz (i32.or (local.get $headLength) (local.get $tailLength))))
        (local.set $p (i32.add (local.get $p) (local.get $tailLength)))

        ;; Fields 0a 0003, 0a 0004, 0a 0005 of the segment, each as far as it is there; the ends of segment and segments.
        (if (i32.eq (i32.and (i32.load (local.get $p)) (i32.const 0xffffff)) (i32.const 0x03000a))
          (then (local.set $p (i32.add (local.get $p) (i32.const 11)))))
        (if (i32.eq (i32.and (i32.load (local.get $p)) (i32.const 0xffffff)) (i32.const 0x04000a))
          (then (local.set $p (i32.add (local.get $p) (i32.const 11)))))
        (if (i32.eq (i32.and (i32.load (local.get $p)) (i32.const 0xffffff)) (i32.const 0x05000a))
          (then (local.set $p (i32.add (local.get $p) (i32.const 11)))))
        ;; 00 00 · checksum 0a 0004 00000000 and 4 bytes · ends of block and element 00 00.
        (br_if $stop (i64.ne (i64.load (local.get $p)) (i64.const 0x00000004000a0000)))
        (br_if $stop (i32.load8_u offset=8 (local.get $p)))
        (br_if $stop (i32.load16_u offset=13 (local.get $p)))
        (local.set $checksum (i32.load offset=9 (local.get $p)))
        (local.set $checksum
          (i32.or
            (i32.and (i32.rotl (local.get $checksum) (i32.const 8)) (i32.const 0x00ff00ff))
            (i32.and (i32.rotr (local.get $checksum) (i32.const 8)) (i32.const 0xff00ff00))))
        (local.set $p (i32.add (local.get $p) (i32.const 15)))
        (br_if $stop (i32.gt_u (local.get $p) (local.get $end)))
        (br_if $stop
          (i32.ne
            (local.get $checksum)
            (call $update
              (call $update (i32.const 1) (local.get $head) (local.get $headLength))
              (i32.add (i32.add (local.get $head) (local.get $headLength)) (i32.const 7))
              (local.get $tailLength))))

        (i32.store (local.get $rows) (i32.sub (local.get $head) (local.get $base)))
        (i32.store offset=4 (local.get $rows) (local.get $headLength))
        (i32.store offset=8 (local.get $rows) (local.get $tailLength))
        (i32.store offset=12 (local.get $rows) (local.get $checksum))
        (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
        ;; The rest of the request's element: list of one start, the start, end.
        (local.set $request (i32.add (local.get $request) (i32.const 17)))
        (local.set $at (local.get $p))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br $elements)))
    (i32.store (i32.const 48) (local.get $at))
    (local.get $count))
)
