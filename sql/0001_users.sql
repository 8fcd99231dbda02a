-- People and their accounts: what the Users API shows of them, and the password that lets them in.
--
-- Text is compared without case and with accents. Where a value has to be compared exactly, to the
-- byte and to the trailing blank, its column is utf8mb4_nopad_bin.
--
-- full_name_folded is what the filter full_name looks at: first and last name without accents, in
-- lower case. The program keeps it. It may be longer than both names: NFKD makes up to five letters
-- of one character.
--
-- slug_stem and slug_number are "alice-" and 12 of the slug alice-12: the next number of a stem is found at
-- once, however many users have it.
--
-- version is raised by every write; an update names the version that it has read.

CREATE TABLE users (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	username VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL,
	slug VARCHAR(50) COLLATE utf8mb4_nopad_bin NOT NULL,
	slug_stem VARCHAR(50) COLLATE utf8mb4_nopad_bin
		AS (LEFT(slug, CHAR_LENGTH(slug) - CHAR_LENGTH(SUBSTRING_INDEX(slug, '-', -1)))),
	slug_number BIGINT
		AS (IF(SUBSTRING_INDEX(slug, '-', -1) REGEXP '^[0-9]{1,18}$',
			CAST(SUBSTRING_INDEX(slug, '-', -1) AS UNSIGNED), NULL)),
	email VARCHAR(320) NOT NULL,
	first_name VARCHAR(100) NOT NULL DEFAULT '',
	last_name VARCHAR(100) NOT NULL DEFAULT '',
	native_name VARCHAR(100) NOT NULL DEFAULT '',
	full_name_folded VARCHAR(1024) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
	phone_number VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
	organization VARCHAR(255) NOT NULL DEFAULT '',
	job_title VARCHAR(120) NOT NULL DEFAULT '',
	civil_number VARCHAR(50) COLLATE utf8mb4_nopad_bin NULL,
	description VARCHAR(2000) NOT NULL DEFAULT '',
	is_staff BOOLEAN NOT NULL DEFAULT FALSE,
	is_support BOOLEAN NOT NULL DEFAULT FALSE,
	is_active BOOLEAN NOT NULL DEFAULT TRUE,
	notifications_enabled BOOLEAN NOT NULL DEFAULT TRUE,
	preferred_language VARCHAR(10) NOT NULL DEFAULT '',
	token_lifetime INT NULL COMMENT 'seconds; NULL: for ever',
	registration_method VARCHAR(50) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT 'default',
	identity_source VARCHAR(50) NOT NULL DEFAULT '',
	affiliations JSON NOT NULL DEFAULT '[]',
	birth_date DATE NULL,
	agreement_date DATETIME(6) NULL,
	date_joined DATETIME(6) NOT NULL,
	modified DATETIME(6) NOT NULL,
	last_login DATETIME(6) NULL,
	password VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '' COMMENT 'PHC; empty: none',
	password_changed DATETIME(6) NULL,
	version BIGINT NOT NULL DEFAULT 1,

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	UNIQUE KEY username (username),
	UNIQUE KEY slug (slug),
	KEY slug_number (slug_stem, slug_number),
	UNIQUE KEY civil_number (civil_number),
	KEY email (email),
	KEY full_name (first_name, last_name),
	KEY date_joined (date_joined),
	KEY modified (modified)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
