/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the packed form that event_pack.c and event_unpack.c share. */
#ifndef RSTSCOPE_EVENT_TAGS_H
#define RSTSCOPE_EVENT_TAGS_H

#define PACK_VERSION 1
#define MICRO	     1e6
#define MICRO_MAX    9000000000000000ll /* exact as a double */

/* Tags of the verdict; those of the plain fields are in event_fields.c. */
enum event_tag {
	TAG_FAMILY = 30, /* as in event_fields.c */
	TAG_CAUSE = 96,
	TAG_CONFIDENCE, /* in millionths */
	TAG_BLAME,
	TAG_BENIGN,
	TAG_TIMEOUT, /* in microseconds; there if the timeout is known */
	TAG_TIMEOUT_LEARNED,
	TAG_COMPONENT,
	TAG_EVIDENCE_FOR,
	TAG_EVIDENCE_AGAINST,
	TAG_ALTERNATIVE,	    /* opens one: its name */
	TAG_ALTERNATIVE_CONFIDENCE, /* of the one opened last */
	TAG_RETRY,
	TAG_FIX,
};

#endif
