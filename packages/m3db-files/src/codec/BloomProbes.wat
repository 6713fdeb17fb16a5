;; Places of ids in a bloom filter, many ids in one call. Assembled bytes: BloomProbesModule.ts; a test assembles this file again
;; and compares. The twin in TypeScript: BloomFilter.add with Murmur3X64.
;;
;; With (h0, h1) the Murmur3 x64_128 hash of an id and (h2, h3) that of the id followed by a byte 0x01:
;;     place i = (h[i mod 2] + i · h[2 + ((i + i mod 2) mod 4) / 2]) mod bits
;;
;; Memory (three pages, never grown): h0 … h3 at 0, free from 32 on to the caller. The 16 bytes behind an id may be read.
(module
  (memory (export "memory") 3 3)

  (func $first (param $k i64) (result i64)
    (i64.mul
      (i64.rotl (i64.mul (local.get $k) (i64.const 0x87c37b91114253d5)) (i64.const 31))
      (i64.const 0x4cf5ad432745937f)))

  (func $second (param $k i64) (result i64)
    (i64.mul
      (i64.rotl (i64.mul (local.get $k) (i64.const 0x4cf5ad432745937f)) (i64.const 33))
      (i64.const 0x87c37b91114253d5)))

  (func $finalised (param $h i64) (result i64)
    (local.set $h
      (i64.mul
        (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 33)))
        (i64.const 0xff51afd7ed558ccd)))
    (local.set $h
      (i64.mul
        (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 33)))
        (i64.const 0xc4ceb9fe1a85ec53)))
    (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 33))))

  ;; a, b: after all whole groups · k1, k2: what follows them, zeros behind · rest: its bytes · length: of all · to: for the hash
  (func $finish
    (param $a i64) (param $b i64) (param $k1 i64) (param $k2 i64) (param $rest i32) (param $length i64) (param $to i32)
    (local.set $a (i64.xor (local.get $a) (call $first (local.get $k1))))
    (if (i32.eq (local.get $rest) (i32.const 16))
      (then
        (local.set $a
          (i64.add
            (i64.mul (i64.add (i64.rotl (local.get $a) (i64.const 27)) (local.get $b)) (i64.const 5))
            (i64.const 0x52dce729)))
        (local.set $b (i64.xor (local.get $b) (call $second (local.get $k2))))
        (local.set $b
          (i64.add
            (i64.mul (i64.add (i64.rotl (local.get $b) (i64.const 31)) (local.get $a)) (i64.const 5))
            (i64.const 0x38495ab5))))
      (else (local.set $b (i64.xor (local.get $b) (call $second (local.get $k2))))))
    (local.set $a (i64.xor (local.get $a) (local.get $length)))
    (local.set $b (i64.xor (local.get $b) (local.get $length)))
    (local.set $a (i64.add (local.get $a) (local.get $b)))
    (local.set $b (i64.add (local.get $b) (local.get $a)))
    (local.set $a (call $finalised (local.get $a)))
    (local.set $b (call $finalised (local.get $b)))
    (local.set $a (i64.add (local.get $a) (local.get $b)))
    (i64.store offset=0 (local.get $to) (local.get $a))
    (i64.store offset=8 (local.get $to) (i64.add (local.get $b) (local.get $a))))

  ;; Both hashes of the bytes from at to end, into 0 … 31.
  (func $hash (param $at i32) (param $end i32)
    (local $a i64) (local $b i64) (local $k1 i64) (local $k2 i64) (local $rest i32) (local $shift i64) (local $length i64)
    (local.set $length (i64.extend_i32_u (i32.sub (local.get $end) (local.get $at))))
    (block $grouped
      (loop $groups
        (br_if $grouped (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 16)))
        (local.set $a (i64.xor (local.get $a) (call $first (i64.load offset=0 (local.get $at)))))
        (local.set $a
          (i64.add
            (i64.mul (i64.add (i64.rotl (local.get $a) (i64.const 27)) (local.get $b)) (i64.const 5))
            (i64.const 0x52dce729)))
        (local.set $b (i64.xor (local.get $b) (call $second (i64.load offset=8 (local.get $at)))))
        (local.set $b
          (i64.add
            (i64.mul (i64.add (i64.rotl (local.get $b) (i64.const 31)) (local.get $a)) (i64.const 5))
            (i64.const 0x38495ab5)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $groups)))
    (local.set $rest (i32.sub (local.get $end) (local.get $at)))
    ;; Of the word in which the bytes end, what lies behind them is masked away. A shift counts modulo 64.
    (local.set $shift (i64.extend_i32_u (i32.shl (local.get $rest) (i32.const 3))))
    (local.set $k1 (i64.load offset=0 (local.get $at)))
    (if (i32.lt_u (local.get $rest) (i32.const 8))
      (then
        (local.set $k1
          (i64.and (local.get $k1) (i64.sub (i64.shl (i64.const 1) (local.get $shift)) (i64.const 1)))))
      (else
        (local.set $k2
          (i64.and
            (i64.load offset=8 (local.get $at))
            (i64.sub (i64.shl (i64.const 1) (local.get $shift)) (i64.const 1))))))
    (call $finish
      (local.get $a) (local.get $b) (local.get $k1) (local.get $k2) (local.get $rest) (local.get $length) (i32.const 0))
    (if (i32.lt_u (local.get $rest) (i32.const 8))
      (then (local.set $k1 (i64.or (local.get $k1) (i64.shl (i64.const 1) (local.get $shift)))))
      (else (local.set $k2 (i64.or (local.get $k2) (i64.shl (i64.const 1) (local.get $shift))))))
    (call $finish
      (local.get $a) (local.get $b) (local.get $k1) (local.get $k2)
      (i32.add (local.get $rest) (i32.const 1))
      (i64.add (local.get $length) (i64.const 1))
      (i32.const 16)))

  ;; ranges: start and end of each id, u32 · places: of each id `hashes` u32, in the order of the probes
  (func (export "probes")
    (param $ranges i32) (param $count i32) (param $bits i32) (param $hashes i32) (param $places i32)
    (local $i i32) (local $stop i32)
    (local.set $stop (i32.add (local.get $ranges) (i32.shl (local.get $count) (i32.const 3))))
    (block $done
      (loop $ids
        (br_if $done (i32.eq (local.get $ranges) (local.get $stop)))
        (call $hash (i32.load offset=0 (local.get $ranges)) (i32.load offset=4 (local.get $ranges)))
        (local.set $i (i32.const 0))
        (block $probed
          (loop $each
            (br_if $probed (i32.eq (local.get $i) (local.get $hashes)))
            (i32.store
              (local.get $places)
              (i32.wrap_i64
                (i64.rem_u
                  (i64.add
                    (i64.load (i32.shl (i32.and (local.get $i) (i32.const 1)) (i32.const 3)))
                    (i64.mul
                      (i64.extend_i32_u (local.get $i))
                      (i64.load offset=16
                        (i32.shl
                          (i32.and
                            (i32.add (local.get $i) (i32.and (local.get $i) (i32.const 1)))
                            (i32.const 3))
                          (i32.const 2)))))
                  (i64.extend_i32_u (local.get $bits)))))
            (local.set $places (i32.add (local.get $places) (i32.const 4)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $each)))
        (local.set $ranges (i32.add (local.get $ranges) (i32.const 8)))
        (br $ids))))
)
