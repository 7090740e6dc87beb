/*-------------------------------------------------------------------------
 *
 * token_answer.c
 *		The answer of a token server (RFC 6749).
 *
 *-------------------------------------------------------------------------
 */
#include "source/http/token_answer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "secret/wiping.h"

#define MAX_LIFE_S		(24 * 60 * 60)

/* A copy of a member that is a text and not empty, or NULL. */
static char *
copy_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && text[0] != '\0' ? wiping_strdup(text) : NULL;
}

/* Some servers write the number as a text. */
static int
life_of(const json_t *object)
{
	const json_t *life = json_object_get(object, "expires_in");
	double		seconds = json_is_string(life) ? atof(json_string_value(life)) : json_number_value(life);

	return !(seconds > 0) ? 0 : seconds > MAX_LIFE_S ? MAX_LIFE_S : (int) seconds;
}

static const char *
fault_of(const json_t *object, const char *token, size_t longest)
{
	const char *type = json_string_value(json_object_get(object, "token_type"));

	if (!json_is_object(object))
		return "is no JSON object";
	if (token == NULL)
		return "has no access_token";
	if (strlen(token) > longest)
		return "has an access_token that is too long for a header";
	for (const char *p = token; *p != '\0'; p++)
	{
		if ((unsigned char) *p <= 0x20 || *p == 0x7f)
			return "has an access_token that no header can have";
	}
	return type != NULL && strcasecmp(type, "Bearer") != 0 ? "has a token_type other than Bearer" : NULL;
}

void
token_answer_read(const char *text, size_t longest, TokenAnswer *answer)
{
	json_malloc_t saved_malloc;
	json_free_t saved_free;
	json_t	   *object;

	json_get_alloc_funcs(&saved_malloc, &saved_free);
	json_set_alloc_funcs(wiping_malloc, wiping_free);
	object = json_loads(text, 0, NULL);
	answer->token = copy_member(object, "access_token");
	answer->refresh_token = copy_member(object, "refresh_token");
	answer->life_s = life_of(object);
	answer->fault = fault_of(object, answer->token, longest);
	json_decref(object);
	json_set_alloc_funcs(saved_malloc, saved_free);
}

void
token_answer_free(TokenAnswer *answer)
{
	wiping_free(answer->token);
	wiping_free(answer->refresh_token);
}
