#include "base/base.h"

#include <curl/curl.h>

#include "identity/identity_int.h"

#define URL_MAX 1000

const char *
check_provider_name(struct text t)
{
	if (text_eq(t, T("default")))
		return "This is how accounts are called that were made here.";
	for (size_t i = 0; i < t.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", t.s[i]) == NULL)
			return "Enter lower-case letters, digits, hyphens and underscores.";
	return NULL;
}

/* The URL's part, or false when it has none. */
static bool
has_part(CURLU *url, CURLUPart part)
{
	char *value = NULL;
	bool found = curl_url_get(url, part, &value, 0) == CURLUE_OK;

	curl_free(value);
	return found;
}

const char *
check_http_url(struct text t)
{
	static const char bad[] = "Enter a valid URL.";
	char copy[URL_MAX + 1];
	CURLU *url;
	bool good;

	/* libcurl forgives a third slash. */
	if (t.n > URL_MAX || (!text_starts(t, T("https://")) && !text_starts(t, T("http://"))) ||
	    text_starts(text_slice(t, text_find(t, ':', 0) + 3, t.n), T("/")))
		return bad;
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] <= ' ' || t.s[i] > '~' || strchr("\"<>\\^`{|}", t.s[i]) != NULL)
			return bad;
	memcpy(copy, t.s, t.n);
	copy[t.n] = '\0';
	url = curl_url();
	must(url != NULL);
	good = curl_url_set(url, CURLUPART_URL, copy, 0) == CURLUE_OK &&
	    !has_part(url, CURLUPART_USER) && !has_part(url, CURLUPART_FRAGMENT);
	curl_url_cleanup(url);
	return good ? NULL : bad;
}

const char *
check_absolute_path(struct text t)
{
	return t.s[0] == '/' ? NULL : "Enter an absolute path.";
}

bool
url_is_plain(struct text url)
{
	return text_starts(url, T("http://"));
}
