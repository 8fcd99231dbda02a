-- Roles, what they permit, and who holds which of them where. The system roles are there from the start, with
-- what they permit; all of it can be changed later. Their uuids are the same in every installation.
--
-- A grant is of a customer or of a project, never both. It counts while is_active and before its
-- expiration_time: expired ones stop by themselves, and are swept later.

CREATE TABLE roles (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	name VARCHAR(150) NOT NULL,
	description VARCHAR(2000) NOT NULL DEFAULT '',
	content_type ENUM('customer', 'project') NOT NULL,
	is_system_role BOOLEAN NOT NULL DEFAULT FALSE,
	is_active BOOLEAN NOT NULL DEFAULT TRUE,
	created DATETIME(6) NOT NULL,
	modified DATETIME(6) NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	UNIQUE KEY name (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;

CREATE TABLE role_permissions (
	id BIGINT NOT NULL AUTO_INCREMENT,
	role_id BIGINT NOT NULL,
	permission VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,

	PRIMARY KEY (id),
	UNIQUE KEY permission (role_id, permission),
	CONSTRAINT role_permissions_role FOREIGN KEY (role_id) REFERENCES roles (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;

CREATE TABLE role_grants (
	id BIGINT NOT NULL AUTO_INCREMENT,
	uuid BINARY(16) NOT NULL,
	user_id BIGINT NOT NULL,
	role_id BIGINT NOT NULL,
	customer_id BIGINT NULL,
	project_id BIGINT NULL,
	created_by BIGINT NULL,
	expiration_time DATETIME(6) NULL,
	is_active BOOLEAN NOT NULL DEFAULT TRUE,
	created DATETIME(6) NOT NULL,
	modified DATETIME(6) NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,

	PRIMARY KEY (id),
	UNIQUE KEY uuid (uuid),
	KEY user (user_id, is_active),
	KEY customer (customer_id, is_active, user_id),
	KEY project (project_id, is_active, user_id),
	KEY created (created),
	KEY expiration (is_active, expiration_time),
	CONSTRAINT role_grants_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT role_grants_creator FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT role_grants_role FOREIGN KEY (role_id) REFERENCES roles (id),
	CONSTRAINT role_grants_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE,
	CONSTRAINT role_grants_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
	CONSTRAINT role_grants_scope CHECK ((customer_id IS NULL) <> (project_id IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_as_ci;

INSERT INTO roles (uuid, name, description, content_type, is_system_role, created, modified) VALUES
	(X'52f22665a60c42d289185d950ee88136', 'CUSTOMER.OWNER', 'Owns the organization', 'customer', TRUE, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)),
	(X'09166f6b113d478dac0fd3901ff239a1', 'CUSTOMER.SUPPORT', 'Supports the organization', 'customer', TRUE, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)),
	(X'a095f20f9395450cb9380b8edb224a6b', 'CUSTOMER.MANAGER', 'Manages the projects of the organization', 'customer', TRUE, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)),
	(X'248a1e924e8f40aeae1a9492a3305f18', 'PROJECT.ADMIN', 'Administers the project', 'project', TRUE, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)),
	(X'8cb610900f9e447fae886dc6507795ec', 'PROJECT.MANAGER', 'Manages the project and its team', 'project', TRUE, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)),
	(X'745c4c3fcb2e42c7be14934c867ee057', 'PROJECT.MEMBER', 'Works in the project', 'project', TRUE, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6));

INSERT INTO role_permissions (role_id, permission)
SELECT r.id, p.permission
  FROM roles r
  JOIN (SELECT 'CUSTOMER.UPDATE' AS permission
	UNION SELECT 'CUSTOMER.LIST_USERS'
	UNION SELECT 'CUSTOMER.CREATE_PERMISSION'
	UNION SELECT 'CUSTOMER.UPDATE_PERMISSION'
	UNION SELECT 'CUSTOMER.DELETE_PERMISSION'
	UNION SELECT 'PROJECT.CREATE'
	UNION SELECT 'PROJECT.UPDATE'
	UNION SELECT 'PROJECT.DELETE'
	UNION SELECT 'PROJECT.LIST_USERS'
	UNION SELECT 'PROJECT.CREATE_PERMISSION'
	UNION SELECT 'PROJECT.UPDATE_PERMISSION'
	UNION SELECT 'PROJECT.DELETE_PERMISSION') p
 WHERE r.name = 'CUSTOMER.OWNER'
    OR (r.name = 'CUSTOMER.MANAGER' AND p.permission LIKE 'PROJECT.%')
    OR (r.name = 'PROJECT.MANAGER' AND (p.permission IN ('PROJECT.UPDATE', 'PROJECT.LIST_USERS')
	OR p.permission LIKE 'PROJECT.%PERMISSION'))
    OR (r.name = 'PROJECT.ADMIN' AND p.permission IN ('PROJECT.UPDATE', 'PROJECT.LIST_USERS'));
