-- Mails that are still to be delivered, or could not be: written in the transaction of the change that
-- they tell of, removed once the SMTP server has taken them.
--
-- What a mail says is made at delivery, of a template and the values of sealed: a JSON object that
-- only the key file opens, since a value may be the code that confirms an address.
--
-- due is the next try; NULL when the mail was given up. A try moves it ahead before it talks to the
-- server, and counts itself in attempts, by which it recognises the row afterwards.

CREATE TABLE mail_outbox (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	user_id BIGINT NULL COMMENT 'whom it is about; goes with him',
	created DATETIME(6) NOT NULL,
	recipient VARCHAR(320) NOT NULL,
	template VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
	language VARCHAR(10) NOT NULL DEFAULT '' COMMENT 'as the user prefers it; may be one that there are no texts in',
	sealed VARBINARY(8192) NOT NULL,
	attempts INT NOT NULL DEFAULT 0,
	due DATETIME(6) NULL,
	error VARCHAR(500) NULL COMMENT 'of the last try',

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	KEY due (due),
	KEY user_id (user_id),
	CONSTRAINT mail_outbox_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
