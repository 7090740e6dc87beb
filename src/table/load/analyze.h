/*-------------------------------------------------------------------------
 *
 * analyze.h
 *		ANALYZE of a relation that a refresh has filled.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPICE_ANALYZE_H
#define SPICE_ANALYZE_H

extern void analyze_relation(Oid relation);

#endif
