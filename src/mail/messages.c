/*
 * What mails say. A row is a mail in a language. Values, besides those that a mail brings along, are
 * {{homeport_url}}, which ends with a slash, and {{service}}, which is mail_from_name.
 */
#include "base/base.h"

#include "mail/mail_int.h"

struct message {
	const char *name, *language;
	const char *subject, *plain, *html;
};

#define HTML(language, body)                                                                 \
	"<!DOCTYPE html>\n"                                                                  \
	"<html lang=\"" language "\">\n"                                                     \
	"<head><meta charset=\"utf-8\"><title>{{service}}</title></head>\n"                  \
	"<body style=\"font-family: sans-serif; line-height: 1.5; max-width: 40em\">\n" body \
	"</body>\n"                                                                          \
	"</html>\n"

#define LINK "{{homeport_url}}user_email_change/{{code}}/"

/* clang-format off */
static const struct message messages[] = {
	/* To the new address: username, code, until. */
	{ .name = "email_change", .language = "en",
	  .subject = "Verify new email address.",
	  .plain =
		"Hello,\n"
		"\n"
		"this address is to become the e-mail address of the account {{username}} at\n"
		"{{service}}. To confirm that it is yours, open this link before {{until}}:\n"
		"\n"
		LINK "\n"
		"\n"
		"If you did not ask for this, do nothing: nothing is changed then.\n",
	  .html = HTML("en",
		"<p>Hello,</p>\n"
		"<p>this address is to become the e-mail address of the account <b>{{username}}</b> at "
		"{{service}}. To confirm that it is yours, open this link before {{until}}:</p>\n"
		"<p><a href=\"" LINK "\">" LINK "</a></p>\n"
		"<p>If you did not ask for this, do nothing: nothing is changed then.</p>\n") },
	{ .name = "email_change", .language = "et",
	  .subject = "Kinnitage uus e-posti aadress.",
	  .plain =
		"Tere!\n"
		"\n"
		"Sellest aadressist saab teenuse {{service}} konto {{username}} e-posti aadress.\n"
		"Kinnitamaks, et see on teie oma, avage see link enne {{until}}:\n"
		"\n"
		LINK "\n"
		"\n"
		"Kui teie seda ei soovinud, ärge tehke midagi: siis ei muutu midagi.\n",
	  .html = HTML("et",
		"<p>Tere!</p>\n"
		"<p>Sellest aadressist saab teenuse {{service}} konto <b>{{username}}</b> e-posti aadress. "
		"Kinnitamaks, et see on teie oma, avage see link enne {{until}}:</p>\n"
		"<p><a href=\"" LINK "\">" LINK "</a></p>\n"
		"<p>Kui teie seda ei soovinud, ärge tehke midagi: siis ei muutu midagi.</p>\n") },

	/* To the old address: username, new_email, when. */
	{ .name = "email_change_notice", .language = "en",
	  .subject = "Your email address is about to change.",
	  .plain =
		"Hello,\n"
		"\n"
		"at {{when}} a new e-mail address was asked for the account {{username}}\n"
		"at {{service}}: {{new_email}}\n"
		"\n"
		"The change takes place when it is confirmed from there. If you did not ask for it,\n"
		"sign in at {{homeport_url}}, cancel it and change your password.\n",
	  .html = HTML("en",
		"<p>Hello,</p>\n"
		"<p>at {{when}} a new e-mail address was asked for the account <b>{{username}}</b> at "
		"{{service}}: {{new_email}}</p>\n"
		"<p>The change takes place when it is confirmed from there. If you did not ask for it, sign "
		"in at <a href=\"{{homeport_url}}\">{{homeport_url}}</a>, cancel it and change your "
		"password.</p>\n") },
	{ .name = "email_change_notice", .language = "et",
	  .subject = "Teie e-posti aadress on muutumas.",
	  .plain =
		"Tere!\n"
		"\n"
		"{{when}} sooviti teenuse {{service}} kontole {{username}} uut e-posti\n"
		"aadressi: {{new_email}}\n"
		"\n"
		"Muudatus jõustub siis, kui see sealt kinnitatakse. Kui teie seda ei soovinud, logige\n"
		"sisse aadressil {{homeport_url}}, tühistage muudatus ja vahetage oma parool.\n",
	  .html = HTML("et",
		"<p>Tere!</p>\n"
		"<p>{{when}} sooviti teenuse {{service}} kontole <b>{{username}}</b> uut e-posti aadressi: "
		"{{new_email}}</p>\n"
		"<p>Muudatus jõustub siis, kui see sealt kinnitatakse. Kui teie seda ei soovinud, logige "
		"sisse aadressil <a href=\"{{homeport_url}}\">{{homeport_url}}</a>, tühistage muudatus ja "
		"vahetage oma parool.</p>\n") },
};
/* clang-format on */

struct mail_texts
texts_built_in(struct text name, struct text language)
{
	for (size_t i = 0; i < countof(messages); i++) {
		const struct message *m = &messages[i];

		if (text_eq(name, text_from(m->name)) && text_eq(language, text_from(m->language)))
			return (struct mail_texts){
				.subject = text_from(m->subject),
				.plain = text_from(m->plain),
				.html = text_from(m->html),
			};
	}
	return (struct mail_texts){ .subject = TEXT_NONE };
}
