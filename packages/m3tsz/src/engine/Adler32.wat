;; Adler-32 with 128-bit vectors. Assembled bytes: Adler32Module.ts; a test assembles this file again and compares.
;;
;; With s = the sum of the bytes of a run of k bytes, and w = the sum of (k − i) · byte i:
;;     a' = a + s,  b' = b + k · a + w        (mod 65521)
;; A run is read as one vector whose first bytes are masked away (k need not be a multiple of 16), then whole vectors. Over
;; the vectors, s1 is the sum of the bytes so far, ps the sum of s1 before each vector, s2 the sum of bytes times 16…1:
;;     w = 16 · ps + s2
;;
;; Memory (one page, never grown): 32 bytes of masks at 0, then the input, anywhere from 32 on: the 16 bytes before it may be
;; read, and are masked away.
(module
  (memory (export "memory") 1 1)
  ;; A vector read at m has its first 16 − m bytes zero, the others 0xff.
  (data (i32.const 0) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff")

  ;; begin of $update: the walk over block answers (m3db-wire, UsualAnswer.wat) is assembled with the same function
  ;; previous: checksum so far · at: first byte · length: bytes, from 0
  (func $update (export "update") (param $previous i32) (param $at i32) (param $length i32) (result i32)
    (local $a i32) (local $b i32) (local $run i32) (local $stop i32)
    (local $s1 v128) (local $s2 v128) (local $ps v128) (local $bytes v128)
    (local.set $a (i32.and (local.get $previous) (i32.const 0xffff)))
    (local.set $b (i32.shr_u (local.get $previous) (i32.const 16)))
    (block $done
      (loop $runs
        (br_if $done (i32.eqz (local.get $length)))
        ;; At most 346 whole vectors and a masked one: 5552 bytes is the most for which b stays below 2^32.
        (local.set $run
          (select
            (local.get $length)
            (i32.add (i32.and (local.get $length) (i32.const 15)) (i32.const 5536))
            (i32.le_u (local.get $length) (i32.const 5551))))
        (local.set $length (i32.sub (local.get $length) (local.get $run)))
        (local.set $stop (i32.add (local.get $at) (local.get $run)))
        ;; The masked vector ends where the whole ones begin; with run a multiple of 16 nothing of it is left.
        (local.set $at (i32.add (local.get $at) (i32.and (local.get $run) (i32.const 15))))
        (local.set $bytes
          (v128.and
            (v128.load offset=0 (i32.sub (local.get $at) (i32.const 16)))
            (v128.load (i32.and (local.get $run) (i32.const 15)))))
        (local.set $s1 (i32x4.extadd_pairwise_i16x8_u (i16x8.extadd_pairwise_i8x16_u (local.get $bytes))))
        (local.set $s2
          (i32x4.add
            (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $bytes)) (v128.const i16x8 16 15 14 13 12 11 10 9))
            (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $bytes)) (v128.const i16x8 8 7 6 5 4 3 2 1))))
        (local.set $ps (v128.const i32x4 0 0 0 0))
        (block $summed
          (loop $vectors
            (br_if $summed (i32.eq (local.get $at) (local.get $stop)))
            (local.set $bytes (v128.load (local.get $at)))
            (local.set $ps (i32x4.add (local.get $ps) (local.get $s1)))
            (local.set $s1
              (i32x4.add
                (local.get $s1)
                (i32x4.extadd_pairwise_i16x8_u (i16x8.extadd_pairwise_i8x16_u (local.get $bytes)))))
            (local.set $s2
              (i32x4.add
                (local.get $s2)
                (i32x4.add
                  (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $bytes)) (v128.const i16x8 16 15 14 13 12 11 10 9))
                  (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $bytes)) (v128.const i16x8 8 7 6 5 4 3 2 1)))))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br $vectors)))
        (local.set $s2 (i32x4.add (local.get $s2) (i32x4.shl (local.get $ps) (i32.const 4))))
        ;; Lanes to one number: halves, then quarters.
        (local.set $s2 (i32x4.add (local.get $s2) (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $s2) (local.get $s2))))
        (local.set $s1 (i32x4.add (local.get $s1) (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $s1) (local.get $s1))))
        (local.set $b
          (i32.rem_u
            (i32.add
              (i32.add (local.get $b) (i32.mul (local.get $a) (local.get $run)))
              (i32.add (i32x4.extract_lane 0 (local.get $s2)) (i32x4.extract_lane 1 (local.get $s2))))
            (i32.const 65521)))
        (local.set $a
          (i32.rem_u
            (i32.add (local.get $a) (i32.add (i32x4.extract_lane 0 (local.get $s1)) (i32x4.extract_lane 1 (local.get $s1))))
            (i32.const 65521)))
        (br $runs)))
    (i32.or (i32.shl (local.get $b) (i32.const 16)) (local.get $a)))
  ;; end of $update
)
