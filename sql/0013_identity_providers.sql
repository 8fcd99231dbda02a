-- Where accounts come from that were not made here, and how their service is asked.
--
-- A user belongs to the provider whose name his registration_method is.
--
-- client_secret, refresh_token and access_token are sealed. access_token is a cache, and with
-- fetch_until and fetcher the note that somebody is fetching a new one: neither is part of the
-- object that staff sees, so they do not raise its version.
--
-- users.last_sync is when a user was last compared with his provider.

CREATE TABLE identity_providers (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	name VARCHAR(50) COLLATE utf8mb4_nopad_bin NOT NULL,
	label VARCHAR(128) NOT NULL DEFAULT '',
	management_url VARCHAR(1000) NOT NULL DEFAULT '',
	protected_fields VARCHAR(1000) NOT NULL DEFAULT '' COMMENT 'comma-separated',
	is_active BOOLEAN NOT NULL DEFAULT TRUE,
	token_url VARCHAR(1000) NOT NULL DEFAULT '',
	userinfo_url VARCHAR(1000) NOT NULL DEFAULT '',
	client_id VARCHAR(255) NOT NULL DEFAULT '',
	client_secret VARBINARY(2000) NULL,
	refresh_token VARBINARY(20000) NULL,
	connect_timeout INT NOT NULL DEFAULT 5 COMMENT 'seconds',
	timeout INT NOT NULL DEFAULT 10 COMMENT 'seconds',
	ca_file VARCHAR(1000) NOT NULL DEFAULT '' COMMENT 'empty: the system''s',
	allow_internal BOOLEAN NOT NULL DEFAULT FALSE,
	reactivate BOOLEAN NOT NULL DEFAULT FALSE,
	access_token VARBINARY(20000) NULL,
	access_token_expires DATETIME(6) NULL,
	fetcher BINARY(16) NULL,
	fetch_until DATETIME(6) NULL,
	created DATETIME(6) NOT NULL,
	modified DATETIME(6) NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	UNIQUE KEY name (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;

ALTER TABLE users ADD COLUMN last_sync DATETIME(6) NULL;
