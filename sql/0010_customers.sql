-- Organisations and their projects. A project that is removed stays, so that what was done in it can be told: only
-- is_removed is set, and the roles in it end. slug_stem and slug_number are those of users (0001).

CREATE TABLE customers (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	name VARCHAR(150) NOT NULL,
	slug VARCHAR(50) COLLATE utf8mb4_nopad_bin NOT NULL,
	slug_stem VARCHAR(50) COLLATE utf8mb4_nopad_bin
		AS (LEFT(slug, CHAR_LENGTH(slug) - CHAR_LENGTH(SUBSTRING_INDEX(slug, '-', -1)))),
	slug_number BIGINT
		AS (IF(SUBSTRING_INDEX(slug, '-', -1) REGEXP '^[0-9]{1,18}$',
			CAST(SUBSTRING_INDEX(slug, '-', -1) AS UNSIGNED), NULL)),
	native_name VARCHAR(160) NOT NULL DEFAULT '',
	abbreviation VARCHAR(12) NOT NULL DEFAULT '',
	description VARCHAR(2000) NOT NULL DEFAULT '',
	email VARCHAR(320) NOT NULL DEFAULT '',
	phone_number VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
	contact_details VARCHAR(2000) NOT NULL DEFAULT '',
	homepage VARCHAR(255) NOT NULL DEFAULT '',
	country VARCHAR(2) NOT NULL DEFAULT '',
	registration_code VARCHAR(160) NOT NULL DEFAULT '',
	backend_id VARCHAR(255) NOT NULL DEFAULT '',
	blocked BOOLEAN NOT NULL DEFAULT FALSE,
	archived BOOLEAN NOT NULL DEFAULT FALSE,
	created DATETIME(6) NOT NULL,
	modified DATETIME(6) NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	UNIQUE KEY slug (slug),
	KEY slug_number (slug_stem, slug_number),
	KEY name (name),
	KEY created (created),
	KEY modified (modified)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;

CREATE TABLE projects (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	name VARCHAR(500) NOT NULL,
	slug VARCHAR(50) COLLATE utf8mb4_nopad_bin NOT NULL,
	slug_stem VARCHAR(50) COLLATE utf8mb4_nopad_bin
		AS (LEFT(slug, CHAR_LENGTH(slug) - CHAR_LENGTH(SUBSTRING_INDEX(slug, '-', -1)))),
	slug_number BIGINT
		AS (IF(SUBSTRING_INDEX(slug, '-', -1) REGEXP '^[0-9]{1,18}$',
			CAST(SUBSTRING_INDEX(slug, '-', -1) AS UNSIGNED), NULL)),
	description VARCHAR(2000) NOT NULL DEFAULT '',
	customer_id BIGINT NOT NULL,
	start_date DATE NULL,
	end_date DATE NULL,
	is_removed BOOLEAN NOT NULL DEFAULT FALSE,
	backend_id VARCHAR(255) NOT NULL DEFAULT '',
	created DATETIME(6) NOT NULL,
	modified DATETIME(6) NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	UNIQUE KEY slug (slug),
	KEY slug_number (slug_stem, slug_number),
	KEY name (name(150)),
	KEY customer (customer_id, is_removed),
	KEY created (created),
	KEY modified (modified),
	CONSTRAINT projects_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;
