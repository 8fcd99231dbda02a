/* What the files of http/ share and nobody else needs. */
#ifndef ROSTER_HTTP_HTTP_INT_H
#define ROSTER_HTTP_HTTP_INT_H

#include "http/http.h"

/* Begins an answer of that status, without a body when empty (reply.c). */
void reply_begin(struct request *rq, int status, bool empty);

/* "Tue, 24 Nov 2026 02:33:56 GMT" and back, also from the two obsolete forms (RFC 9110, section 5.6.7). */
struct text http_date(struct stamp s, struct arena *a);
bool http_date_parse(struct text t, struct stamp *out) MUST_CHECK;

/* Header values of the form: word; name=value; name="value" (RFC 9110, section 5.6). Any bytes will do. */

/* The word, without blanks around it; *rest becomes what follows. */
struct text header_word(struct text *rest);

/* Cuts the next parameter off what header_word() has left. 1: there is one; 0: there is none; -1: malformed. */
int header_param(struct text *rest, struct arena *a, struct param *param);

/* The value of the first parameter of that name; none when there is none or one before it is malformed. */
struct text header_param_named(struct text header, struct text name, struct arena *a);

/* A word of the characters that HTTP and MIME allow in names of headers and parameters? */
bool header_is_token(struct text t);

/* t without spaces and tabs at both ends. */
struct text header_trim(struct text t);

/*
 * A reader of one kind of body. The tree is an object and points into the input where it can. NULL on
 * a fault: then *problem says what is wrong and at which byte.
 */
typedef struct json *body_reader(
    struct text input, struct text content_type, struct arena *a, struct text *problem);

body_reader form_read;      /* application/x-www-form-urlencoded */
body_reader multipart_read; /* multipart/form-data: RFC 7578, RFC 2046 */

/*
 * Adds a copy of member, which came from byte at, to a form's object. false and *problem when its name or
 * text is not UTF-8, when there is one of its name, or when there are BODY_FIELDS_MAX already.
 */
bool form_add(struct json *form, const struct json *member, size_t at, struct arena *a,
    struct text *problem) MUST_CHECK;

#endif
