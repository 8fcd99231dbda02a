-- The texts that users agree with: terms of service (TOS) and privacy policy (PP), one of each.

CREATE TABLE user_agreements (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	content MEDIUMTEXT NOT NULL,
	agreement_type VARCHAR(5) COLLATE utf8mb4_nopad_bin NOT NULL,
	created DATETIME(6) NOT NULL,
	modified DATETIME(6) NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	UNIQUE KEY agreement_type (agreement_type),
	KEY created (created)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
