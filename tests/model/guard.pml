/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch between policy and law (aqm/guard.h, policy/aqm_policy.c), for spin.
 *
 * Time is cut into steps, and budgets and holds are a few steps long.  In each
 * step the link idles or has a packet.  A policy answers when it likes, also
 * nonsense, or never, or dies; it may be asked once at a time.  What must hold is
 * asserted where it matters; what must come true stands as ltl at the end.
 */
#define FULL 2	  /* of the budget of idle time, in steps */
#define LONGEST 2 /* lengthenings */
#define HOLD(k) (1 << (k))
#define TOKENS 2

mtype = { pass, mark, drop, nonsense, nothing };

bool open, idle, waits, by_policy;
bool thinking, dead, fresh; /* fresh: an answer that was not used yet */
mtype wanted = nothing, law, verdict;
byte budget, phase, lengthenings, tokens;
byte uses;	/* of the last answer */
byte worst;	/* idle steps less others over the worst stretch while open that ends now */

inline choose(v) { if :: v = pass :: v = mark :: v = drop fi }

active proctype policy()
{
	do
	:: atomic { thinking ->
		thinking = false;
		if
		:: choose(wanted); fresh = true; uses = 0
		:: wanted = nonsense; fresh = true; uses = 0
		:: dead = true
		fi
	   }
	:: thinking -> skip /* not yet */
	:: atomic { dead -> break }
	od
}

inline settle()
{
	if
	:: open && idle && budget == 0 ->
		open = false; phase = 0; tokens = 0; worst = 0;
		if :: lengthenings < LONGEST -> lengthenings++ :: else fi
	:: else ->
		if
		:: idle && budget > 0 -> budget--
		:: !idle && budget < FULL -> budget++
		:: else
		fi;
		if :: phase < HOLD(LONGEST) -> phase++ :: else fi;
		if
		:: open && idle -> worst++
		:: open && !idle && worst > 0 -> worst--
		:: else
		fi;
		assert(!open || worst <= FULL);
		if
		:: !open && phase >= HOLD(lengthenings) && budget == FULL ->
			open = true; phase = 0; worst = 0
		:: else
		fi
	fi
}

/* The packet's verdict; the policy's where there is a fresh answer and the guard allows it. */
inline judge(overload)
{
	choose(law);
	verdict = law;
	by_policy = false;
	if
	:: fresh && wanted != nonsense && wanted != law && !overload && open && tokens > 0 ->
		verdict = wanted;
		by_policy = true;
		uses++;
		tokens--
	:: else
	fi;
	assert(!by_policy || (fresh && open && !overload && wanted != nonsense));
	assert(by_policy || verdict == law);
	assert(uses <= 1);
	fresh = false;
	wanted = nothing;
	waits = false
}

active proctype link()
{
	bool overloaded;

	do
	:: atomic {
		if :: idle = true :: idle = false fi;
		settle();
		if :: !idle -> waits = true :: else fi
	   };
	   if
	   :: waits ->
		/* Ask, or not; the packet waits for no answer. */
		if :: !thinking && !dead && !fresh -> thinking = true :: true fi;
		atomic {
			if :: open && tokens < TOKENS -> tokens++ :: else fi;
			if :: overloaded = true :: overloaded = false fi;
			judge(overloaded)
		}
	   :: else
	   fi
	od
}

/* Every packet gets a verdict, whatever the policy does or does not. */
ltl prompt { [] (waits -> <> !waits) }
/* A policy that died decides nothing more once its last answer is used. */
ltl orphan { [] ((dead && !fresh && !by_policy) -> [] !by_policy) }
/* A link that stays busy opens the guard for good, one that stays idle closes it. */
ltl opens { (<> [] !idle) -> (<> [] open) }
ltl closes { (<> [] idle) -> (<> [] !open) }
