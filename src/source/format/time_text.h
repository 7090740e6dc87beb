/*-------------------------------------------------------------------------
 *
 * time_text.h
 *		What a text says that PostgreSQL reads as a date or time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_TIME_TEXT_H
#define SPICE_TIME_TEXT_H

/* a set of bits */
typedef enum TimeTextParts
{
	TIME_TEXT_CLOCK = 1 << 0,	/* a time of day */
	TIME_TEXT_ZONE = 1 << 1,	/* a zone, or a word that may be one */
	TIME_TEXT_MOVING = 1 << 2,	/* a word with another meaning on another day: today */
	TIME_TEXT_ORDER = 1 << 3	/* numbers for day and month in an order that is not evident */
} TimeTextParts;

/*
 * Looks at the spelling of the text alone, whether or not it is a valid time.  The input
 * of a type without a zone or without a time of day drops these parts silently.
 */
extern TimeTextParts time_text_parts(const char *text);

#endif
