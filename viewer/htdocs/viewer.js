"use strict";

// The default layout, and no online validator: neither a style that the site's policy forbids nor another host.
SwaggerUIBundle({
	url: new URL("../schema/", location).pathname,
	dom_id: "#viewer",
	deepLinking: true,
	filter: true,
	validatorUrl: null,
});
