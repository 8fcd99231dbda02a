-- How far each user of an identity provider is compared with it: what the process sync, on whichever host, does next.
--
-- since is from when the provider's sync_interval runs until the user's next turn: the time of the last one, or later
-- after answers that were no good. tried is when he was last asked for. Whoever takes a user on has his row until
-- claimed_until, by which a process that dies loses nothing.
--
-- sync_turn is when the provider may be asked for the next user, by whichever host: sync_rate spaces them out. While
-- its service is down nobody is asked for until sync_paused_until.

CREATE TABLE identity_syncs (
	user_id BIGINT NOT NULL,
	provider_id BIGINT NOT NULL,
	since DATETIME(6) NOT NULL,
	tried DATETIME(6) NOT NULL,
	failures INT NOT NULL DEFAULT 0 COMMENT 'in a row',
	problem VARCHAR(500) NOT NULL DEFAULT '' COMMENT 'of the last try',
	claim BINARY(16) NULL,
	claimed_until DATETIME(6) NULL,

	PRIMARY KEY (user_id),
	KEY since (provider_id, since),
	CONSTRAINT identity_syncs_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT identity_syncs_provider FOREIGN KEY (provider_id) REFERENCES identity_providers (id)
		ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;

ALTER TABLE identity_providers
	ADD COLUMN sync_interval INT NOT NULL DEFAULT 0 COMMENT 'seconds, 0: none is scheduled',
	ADD COLUMN sync_in_flight INT NOT NULL DEFAULT 4,
	ADD COLUMN sync_rate INT NOT NULL DEFAULT 10 COMMENT 'users a second',
	ADD COLUMN sync_turn DATETIME(6) NULL,
	ADD COLUMN sync_failures INT NOT NULL DEFAULT 0 COMMENT 'pauses in a row',
	ADD COLUMN sync_paused_until DATETIME(6) NULL,
	ADD COLUMN sync_problem TEXT NOT NULL DEFAULT '' COMMENT 'that it is paused for';
