; SPDX-License-Identifier: BSD-2-Clause
; The arithmetic of aqm/fixed.h, pie.h, pi2.h, dualpi2.h, step.h, wide.h, red.h,
; curvy_red.h, student_net.h and student.h, guard.h and room.h over integers without end.  run.sh proves that every intermediate fits the
; C type that holds it; then these are what the C code computes.  It also holds the model
; against the compiled code on random points (points.c).
(define-fun one () Int 4294967296)
(define-fun delay_max () Int 1099511627775)
(define-fun s64 ((x Int)) Bool (and (<= (- 9223372036854775808) x) (< x 9223372036854775808)))
(define-fun u64 ((x Int)) Bool (and (<= 0 x) (< x 18446744073709551616)))
(define-fun u32 ((x Int)) Bool (and (<= 0 x) (< x 4294967296)))
(define-fun s32 ((x Int)) Bool (and (<= (- 2147483648) x) (< x 2147483648)))
(define-fun s16 ((x Int)) Bool (and (<= (- 32768) x) (< x 32768)))
(define-fun clamp ((x Int) (low Int) (high Int)) Int (ite (< x low) low (ite (> x high) high x)))
; Division of C, towards zero, by a positive number.
(define-fun quot ((x Int) (y Int)) Int (ite (< x 0) (- (div (- x) y)) (div x y)))

; aqm_delay_difference_ns
(define-fun difference ((a Int) (b Int)) Int (clamp (- a b) (- delay_max) delay_max))
; aqm_pi_change_q32, by steps
(define-fun pi_sum ((alpha Int) (beta Int) (err Int) (chg Int)) Int (+ (* alpha err) (* beta chg)))
(define-fun pi_whole ((magnitude Int)) Int (div magnitude 1953125))
(define-fun pi_left ((magnitude Int)) Int (* (- magnitude (* (pi_whole magnitude) 1953125)) 128))
(define-fun pi_size ((magnitude Int)) Int
	(+ (* (pi_whole magnitude) 128) (div (pi_left magnitude) 1953125)))
(define-fun pi_signed ((sum Int)) Int (ite (< sum 0) (- (pi_size (- sum))) (pi_size sum)))
(define-fun pi_change ((alpha Int) (beta Int) (target Int) (q Int) (before Int)) Int
	(pi_signed (pi_sum alpha beta (difference q target) (difference q before))))
; the updates of pi2, dualpi2 and pie
(define-fun pi2_next ((p Int) (change Int)) Int (clamp (+ p change) 0 one))
(define-fun dualpi2_highest ((overload Bool) (k Int)) Int
	(ite (and (not overload) (> k 65536)) (div (* one 65536) k) one))
(define-fun dualpi2_next ((p Int) (change Int) (highest Int)) Int (clamp (+ p change) 0 highest))
(define-fun over ((n Int)) Int (div (+ one (- n 1)) n))
(define-fun pie_scale ((p Int)) Int
	(ite (< p (over 1000000)) 2048 (ite (< p (over 100000)) 512 (ite (< p (over 10000)) 128
	(ite (< p (over 1000)) 32 (ite (< p (over 100)) 8 (ite (< p (over 10)) 2 1)))))))
(define-fun pie_step ((p Int) (change Int)) Int
	(let ((step (quot change (pie_scale p))))
	(ite (and (>= p (over 10)) (> step (div one 50))) (div one 50) step)))
(define-fun pie_next ((p Int) (change Int) (still Bool)) Int
	(let ((next (clamp (+ p (pie_step p change)) 0 one)))
	(ite still (quot (* next 49) 50) next)))
; aqm_coupled_q32, aqm_square_q32, aqm_square_reaches
(define-fun coupled ((k Int) (p Int)) Int (div (* p k) 65536))
(define-fun square ((p Int)) Int (ite (>= p one) one (div (* p p) one)))
(define-fun reaches ((p Int) (level Int)) Bool
	(or (>= p one) (and (< level one) (>= (* p p) (* level one)))))
; aqm_ramp_marks
(define-fun ramp ((threshold Int) (sojourn Int) (bits Int)) Bool
	(or (>= sojourn (* 2 threshold)) (>= (* 5 sojourn) (* 6 threshold))
	(and (> (* 5 sojourn) (* 4 threshold))
	(< (* bits threshold) (* (- (* 5 sojourn) (* 4 threshold)) 2147483648)))))
; aqm_muldiv, aqm_share
(define-fun muldiv ((a Int) (b Int) (c Int)) Int (div (* a b) c))
(define-fun share ((value Int) (p Int)) Int (div (* value p) one))
; aqm_curvy_root_q32
(define-fun curvy_root ((minimum Int) (range Int) (average Int)) Int
	(let ((above (ite (> average (* minimum 65536)) (- average (* minimum 65536)) 0)))
	(ite (>= (div above 65536) range) one (div (* above 65536) range))))
; aqm_student_input, aqm_student_tanh
(define-fun student_input ((f Int) (o Int) (s Int)) Int (clamp (div (* (- f o) s) 16) (- 32768) 32767))
(define-fun student_bent ((z Int)) Int
	(let ((w (ite (> (ite (< z 0) (- z) z) 8192) 8192 (ite (< z 0) (- z) z))))
	(ite (< z 0) (- (- w (div (* w w) 16384))) (- w (div (* w w) 16384)))))
; what a cell's state becomes: y is the candidate, g its gate
(define-fun student_moved ((h Int) (g Int) (y Int)) Int (+ h (quot (* g (- (* 16 y) h)) 4096)))
; 2^(w + 8), and aqm_exp2_q16 by steps
(define-fun two_to ((w Int)) Int (ite (= w (- 8)) 1 (ite (= w (- 7)) 2 (ite (= w (- 6)) 4 (ite (= w (- 5)) 8 (ite (= w (- 4)) 16 (ite (= w (- 3)) 32 (ite (= w (- 2)) 64 (ite (= w (- 1)) 128 (ite (= w 0) 256 (ite (= w 1) 512 (ite (= w 2) 1024 (ite (= w 3) 2048 (ite (= w 4) 4096 (ite (= w 5) 8192 (ite (= w 6) 16384 (ite (= w 7) 32768 65536)))))))))))))))))
(define-fun exp2_whole ((z Int)) Int (- (div (+ z 32768) 4096) 8))
(define-fun exp2_part ((z Int)) Int (- z (* 4096 (exp2_whole z))))
(define-fun exp2_bend ((f Int)) Int (div (* f (- 4096 f) 88) 65536))
(define-fun exp2_mantissa ((f Int)) Int (- (+ 65536 (* 16 f)) (exp2_bend f)))
(define-fun exp2 ((z Int)) Int
	(div (* (exp2_mantissa (exp2_part z)) (two_to (exp2_whole z))) 256))
; aqm_student_nearest, of 2^bits; aqm_student_shares
(define-fun student_nearest ((v Int) (two_bits Int)) Int (div (+ v (div two_bits 2)) two_bits))
(define-fun attention_inverse ((sum Int)) Int (div 70368744177664 sum))
(define-fun attention_share ((p Int) (sum Int)) Int (div (* p (attention_inverse sum)) 4294967296))
; aqm_student_scaled; the threshold of aqm_student_adds_up
(define-fun student_scaled ((v Int) (e Int) (low Int) (high Int)) Int
	(clamp (div (* v e) 65536) low high))
(define-fun student_threshold ((r Int) (e Int)) Int (+ (* r 65536) (* (div e 65536) (- 65536 r))))
; aqm_student_p_c_q32, by steps: 1 / target, sojourn over target, factor of p', p'
(define-fun student_per ((target Int)) Int (div 281474976710656 target))
(define-fun student_ratio ((target Int) (per Int) (sojourn Int)) Int
	(div (* per (ite (< sojourn (* 3 target)) sojourn (* 3 target))) 4294967296))
(define-fun student_slanted ((s Int) (ratio Int)) Int
	(ite (> (+ 65536 (div (* s ratio) 65536)) s) (- (+ 65536 (div (* s ratio) 65536)) s) 0))
(define-fun student_factor ((below Int) (above Int) (ratio Int)) Int
	(student_slanted (ite (< ratio 65536) below above) ratio))
; aqm_student_steep_above_q16
(define-fun student_above ((asked Int) (room Int)) Int
	(ite (< asked (* room.steepness room 16)) asked (* room.steepness room 16)))
(define-fun student_steep ((p Int) (factor Int)) Int
	(ite (< (div (* p factor) 65536) one) (div (* p factor) 65536) one))
; aqm_student_pause_square, aqm_student_pause_ns, aqm_student_step_pauses
(define-fun student_pause_square ((ns Int)) Int
	(let ((pause (ite (< (div ns 1024) student.longest_pause) (div ns 1024) student.longest_pause)))
	(* pause pause)))
(define-fun student_pause ((squares Int) (busy Int)) Int
	(let ((pause (div squares (+ (div busy 1024) 1))))
	(* 1024 (ite (< pause student.longest_pause) pause student.longest_pause))))
(define-fun student_step ((step Int) (pauses Int) (pause Int)) Int
	(ite (< step (div (* pause pauses) 65536)) (div (* pause pauses) 65536) step))
; aqm_student_decay: a sum of shift 2^k that `more` is added to
(define-fun student_decayed ((sum Int) (k2 Int) (more Int)) Int (+ (- sum (div sum k2)) (* more 256)))

; aqm/guard.h
(define-fun within ((x Int) (low Int) (high Int)) Int (clamp x low high))
(define-fun g_averaged ((share Int) (now Bool) (ns Int) (memory Int)) Int
	(+ share (quot (* (- (ite now one 0) share) (ite (> ns memory) memory ns)) memory)))
(define-fun g_allowed ((share Int) (ns Int)) Int
	(let ((s (div share 65536)))
	(div (* ns (+ s (div (* (- 65536 s) guard.idle_share_q16) 65536))) 65536)))
(define-fun g_asked ((share Int) (ns Int)) Int (div (* ns (div share 65536)) 131072))
(define-fun g_idle_next ((budget Int) (share Int) (idle Bool) (ns Int)) Int
	(within (- (+ budget (g_allowed share ns)) (ite idle ns 0)) (- guard.idle_ns) guard.idle_ns))
(define-fun g_unfed_next ((budget Int) (share Int) (classic Bool) (ns Int)) Int
	(within (- (+ budget (ite classic ns 0)) (g_asked share ns))
		(- guard.unfed_ns) guard.unfed_ns))
(define-fun g_power ((n Int)) Int
	(ite (= n 0) 1 (ite (= n 1) 2 (ite (= n 2) 4 (ite (= n 3) 8 (ite (= n 4) 16 (ite (= n 5) 32
	(ite (= n 6) 64 (ite (= n 7) 128 (ite (= n 8) 256 (ite (= n 9) 512 (ite (= n 10) 1024
	(ite (= n 11) 2048 (ite (= n 12) 4096 (ite (= n 13) 8192 (ite (= n 14) 16384
	(ite (= n 15) 32768 65536)))))))))))))))))
(define-fun g_earned ((level Int)) Int
	(div (* (+ guard.unit (mod level guard.unit)) (div one guard.unit))
		(g_power (- 16 (div level guard.unit)))))
(define-fun g_earn ((tokens Int) (earned Int) (burst Int)) Int
	(ite (> (+ tokens earned) burst) burst (+ tokens earned)))
; The worst stretch that ends now, after one more event.
(define-fun worst ((before Int) (added Int) (taken Int)) Int
	(ite (> (- (+ before added) taken) 0) (- (+ before added) taken) 0))

; aqm/room.h
(define-fun r_after ((left Int) (ns Int) (idle Int)) Int
	(clamp (- (+ left ns) (* room.cost idle)) 0 room.full_ns))
