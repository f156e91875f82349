/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.json against what the server does: paths, parameters, answers. */
#include "api_case.h"

#include "schema_check.h"
#include "user/tell/groups.h"

/* Follows references into components; events are $defs/event for the check. */
static json_t *expand(const json_t *doc, const json_t *node)
{
	static const char here[] = "#/components/";
	const char *ref = json_string_value(json_object_get(node, "$ref"));
	const char *key;
	char group[32], name[64];
	json_t *out, *member;
	size_t i;

	if (ref && !strcmp(ref, "/api/v1/event.schema.json"))
		return json_pack("{s:s}", "$ref", "#/$defs/event");
	if (ref) {
		assert_int_equal(strncmp(ref, here, sizeof(here) - 1), 0);
		assert_int_equal(sscanf(ref + sizeof(here) - 1,
					"%31[a-z]/%63[A-Za-z_]", group, name),
				 2);
		node = json_object_get(
			json_object_get(json_object_get(doc, "components"),
					group),
			name);
		if (!node)
			fail_msg("%s leads nowhere", ref);
		return expand(doc, node);
	}
	if (json_is_object(node)) {
		out = json_object();
		json_object_foreach((json_t *)node, key, member)
			json_object_set_new(out, key, expand(doc, member));
		return out;
	}
	if (!json_is_array(node))
		return json_deep_copy(node);
	out = json_array();
	json_array_foreach(node, i, member)
		json_array_append_new(out, expand(doc, member));
	return out;
}

static json_t *the_document(struct api_case *c)
{
	json_t *raw = api_case_get(c, "/api/v1/openapi.json", 200);
	json_t *doc = expand(raw, raw);

	json_decref(raw);
	return doc;
}

static json_t *operation(const json_t *doc, const char *path)
{
	json_t *found = json_object_get(
		json_object_get(json_object_get(doc, "paths"), path), "get");

	if (!found)
		fail_msg("%s is not in the document", path);
	return found;
}

/* Of a path: the media type and the schema for that status. */
static const json_t *answer_schema(const json_t *doc, const char *path,
				   int status, const char **type)
{
	char number[8];
	json_t *content;
	void *at;

	snprintf(number, sizeof(number), "%d", status);
	content = json_object_get(
		json_object_get(
			json_object_get(operation(doc, path), "responses"),
			number),
		"content");
	at = json_object_iter(content);
	if (!at)
		fail_msg("%s: %d is not in the document", path, status);
	*type = json_object_iter_key(at);
	return json_object_get(json_object_iter_value(at), "schema");
}

static void check_text(const json_t *doc, const char *path, char *answer,
		       int status)
{
	struct schema_check check = {0};
	json_t *event = json_load_file(SCHEMA_FILE, 0, NULL), *root, *json;
	const char *type, *body;
	const json_t *schema = answer_schema(doc, path, status, &type);
	char line[100];

	assert_non_null(event);
	root = json_pack("{s:o}", "$defs",
			 json_copy(json_object_get(event, "$defs")));
	json_object_set_new(json_object_get(root, "$defs"), "event", event);
	check.root = root;
	snprintf(line, sizeof(line), "\r\nContent-Type: %s\r\n", type);
	body = strstr(answer, "\r\n\r\n") + 4;
	json = json_loads(body, 0, NULL);
	if (status_of(answer) != status || !strstr(answer, line) || !json ||
	    !schema_value(&check, schema, json, "answer"))
		fail_msg("%s: wanted %d, %s; %s\n%.500s", path, status, type,
			 check.err, answer);
	json_decref(json);
	json_decref(root);
	free(answer);
}

static void check_answer(struct api_case *c, const json_t *doc,
			 const char *path, const char *target, int status)
{
	check_text(doc, path, api_case_ask(c, target), status);
}

static void test_answers(void **state)
{
	static const struct {
		const char *path, *target;
		int status;
	} cases[] = {
		{"/api/v1/events", "/api/v1/events?" ALL_TIMES, 200},
		{"/api/v1/events", "/api/v1/events?" ALL_TIMES "&limit=1", 200},
		{"/api/v1/events", "/api/v1/events?until=@1000000000", 200},
		{"/api/v1/events", "/api/v1/events?limit=x", 400},
		{"/api/v1/events/{id}", "/api/v1/events/1", 200},
		{"/api/v1/events/{id}", "/api/v1/events/2", 200},
		{"/api/v1/events/{id}", "/api/v1/events/3", 404},
		{"/api/v1/events/{id}/story", "/api/v1/events/1/story", 200},
		{"/api/v1/events/{id}/story", "/api/v1/events/2/story", 200},
		{"/api/v1/events/{id}/story", "/api/v1/events/3/story", 404},
		{"/api/v1/summary", "/api/v1/summary?" ALL_TIMES, 200},
		{"/api/v1/summary",
		 "/api/v1/summary?" ALL_TIMES "&by=process,port", 200},
		{"/api/v1/summary", "/api/v1/summary?until=@1000000000", 200},
		{"/api/v1/summary", "/api/v1/summary?by=x", 400},
		{"/api/v1/stream", "/api/v1/stream?limit=1", 400},
		{"/api/v1/status", "/api/v1/status", 200},
	};
	struct api_case *c = *state;
	json_t *doc = the_document(c);
	struct event ev;

	sample_full(&ev, 1);
	api_case_put(c, &ev);
	sample_bare(&ev, 2);
	api_case_put(c, &ev);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_answer(c, doc, cases[i].path, cases[i].target,
			     cases[i].status);
	/* with the daemon's note, as in life */
	assert_int_equal(store_set_note(c->writer, "daemon", "{\"pid\":1}"), 0);
	check_answer(c, doc, "/api/v1/status", "/api/v1/status", 200);
	json_decref(doc);
}

/* Every path, and a target that is right there. */
static const struct {
	const char *path, *target;
} right[] = {
	{"/api/v1/events", "/api/v1/events"},
	{"/api/v1/events/{id}", "/api/v1/events/1"},
	{"/api/v1/events/{id}/story", "/api/v1/events/1/story"},
	{"/api/v1/summary", "/api/v1/summary"},
	{"/api/v1/stream", "/api/v1/stream"},
	{"/api/v1/status", "/api/v1/status"},
};

/* Each header that the document names for that status is there. */
static void check_headers(const json_t *doc, const char *path, int status,
			  const char *answer)
{
	json_t *headers, *one;
	const char *name;
	char number[8], line[64];

	snprintf(number, sizeof(number), "%d", status);
	headers = json_object_get(
		json_object_get(
			json_object_get(operation(doc, path), "responses"),
			number),
		"headers");
	json_object_foreach(headers, name, one)
	{
		snprintf(line, sizeof(line), "\r\n%s: ", name);
		if (!strstr(answer, line))
			fail_msg("%s: %d without %s", path, status, name);
	}
}

/* The same answer on every path, headers and all. */
static void check_everywhere(struct api_case *c, const json_t *doc,
			     const char *headers, int status)
{
	assert_int_equal(ARRAY_SIZE(right),
			 json_object_size(json_object_get(doc, "paths")));
	for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
		char text[300], *answer;

		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n%s\r\n",
			 right[i].target, headers);
		answer = ask_fd(dial_tcp(http_port(c->http)), text);
		check_headers(doc, right[i].path, status, answer);
		check_text(doc, right[i].path, answer, status);
	}
}

/* The same API behind another server. */
static struct http *other_server(struct endpoints *endpoints,
				 const char *token_file)
{
	struct http_config config = {
		.listen = "127.0.0.1:0",
		.token_file = token_file,
		.ctx = endpoints,
	};
	struct http *http = NULL;
	char err[256] = "";

	config.routes = endpoints_routes(&config.n_routes);
	if (http_open(&http, &config, err, sizeof(err)) ||
	    http_start(http, err, sizeof(err)))
		fail_msg("%s", err);
	return http;
}

#define CLOSE "Connection: close\r\n"
#define HERE  "Host: localhost\r\n" CLOSE

static void test_refusals(void **state)
{
	static const char secret[] = "0123456789abcdef\n";
	struct api_case *c = *state, other = *c;
	char path[] = "/tmp/rstscope-token.XXXXXX";
	struct endpoints no_store = {0};
	json_t *doc = the_document(c);
	int fd = mkstemp(path);

	check_everywhere(c, doc, "Host: evil.example\r\n" CLOSE, 403);
	assert_int_equal(write(fd, secret, strlen(secret)), strlen(secret));
	close(fd);
	other.http = other_server(&c->endpoints, path);
	check_everywhere(&other, doc, HERE, 401);
	check_everywhere(&other, doc, HERE "Authorization: Bearer x\r\n", 401);
	http_stop(other.http);
	assert_int_equal(unlink(path), 0);
	other.http = other_server(&no_store, NULL);
	check_everywhere(&other, doc, HERE, 503);
	http_stop(other.http);
	json_decref(doc);
}

/* What the description says of methods and bodies. */
static void test_other_methods(void **state)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = {
		{"POST /api/v1/events HTTP/1.1\r\n" HERE "\r\n", 405},
		{"DELETE /api/v1/events/1 HTTP/1.1\r\n" HERE "\r\n", 405},
		{"GET /api/v1/events HTTP/1.1\r\n" HERE
		 "Content-Length: 1\r\n\r\nx",
		 413},
	};
	struct api_case *c = *state;
	json_t *doc = the_document(c), *problem, *body;
	struct schema_check check = {.root = doc};
	const char *about;
	char number[8];

	assert_int_equal(json_unpack(doc, "{s:{s:s}, s:{s:{s:o}}}", "info",
				     "description", &about, "components",
				     "schemas", "Problem", &problem),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *answer =
			ask_fd(dial_tcp(http_port(c->http)), cases[i].text);

		body = json_loads(strstr(answer, "\r\n\r\n") + 4, 0, NULL);
		snprintf(number, sizeof(number), "%d", cases[i].status);
		assert_non_null(strstr(about, number));
		assert_int_equal(status_of(answer), cases[i].status);
		if (!body || !schema_value(&check, problem, body, "answer"))
			fail_msg("%s\n%s", check.err, answer);
		json_decref(body);
		free(answer);
	}
	json_decref(doc);
}

/* Every path of the API is documented. */
static void test_paths(void **state)
{
	json_t *doc = the_document(*state);
	const struct http_route *routes;
	size_t n, found = 0;

	routes = endpoints_routes(&n);
	for (size_t i = 0; i < n; i++) {
		const char *path = routes[i].path;

		if (strncmp(path, "/api/", 5) || strstr(path, ".json"))
			continue;
		if (!strcmp(path, "/api/v1/events/"))
			path = "/api/v1/events/{id}";
		operation(doc, path);
		found++;
	}
	assert_int_equal(found + 1, /* the story */
			 json_object_size(json_object_get(doc, "paths")));
	json_decref(doc);
}

static bool documented(const json_t *parameters, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(parameters, i, one)
	{
		if (!strcmp(json_string_value(json_object_get(one, "name")),
			    name))
			return true;
	}
	return false;
}

/* No value is right for all, and the second one never is. */
static void check_taken(struct api_case *c, const char *path, const char *name)
{
	char target[100], wrong[64], *answer;

	snprintf(target, sizeof(target), "%s?%s=%%20&zzz=1", path, name);
	snprintf(wrong, sizeof(wrong), "no parameter '%s'", name);
	answer = api_case_ask(c, target);
	if (status_of(answer) != 400 || strstr(answer, wrong))
		fail_msg("%s: %s", target, answer);
	free(answer);
}

/* Every filter is documented, and what is documented is taken. */
static void test_parameters(void **state)
{
	static const char *const paths[] = {"/api/v1/events", "/api/v1/summary",
					    "/api/v1/stream"};
	json_t *doc = the_document(*state), *one;
	size_t i;

	for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
		json_t *list =
			json_object_get(operation(doc, paths[p]), "parameters");

		for (const struct filter_option *o = filter_options; o->name;
		     o++)
			if (strcmp(o->name, "limit") &&
			    !documented(list, o->name))
				fail_msg("%s: no %s", paths[p], o->name);
		json_array_foreach(list, i, one) check_taken(
			*state, paths[p],
			json_string_value(json_object_get(one, "name")));
	}
	json_decref(doc);
}

static void test_names(void **state)
{
	json_t *doc = the_document(*state), *list, *one, *values;
	const char *text;
	size_t i;

	list = json_object_get(operation(doc, "/api/v1/summary"), "parameters");
	json_array_foreach(list, i, one)
	{
		const char *name =
			json_string_value(json_object_get(one, "name"));

		values =
			json_object_get(json_object_get(one, "schema"), "enum");
		if (!strcmp(name, "kind"))
			assert_int_equal(json_array_size(values), KINDS);
		if (!strcmp(name, "syscall"))
			assert_int_equal(json_array_size(values), CALL_CLASSES);
		text = json_string_value(json_object_get(one, "description"));
		for (const struct group_key *k = group_keys;
		     !strcmp(name, "by") && k->name; k++)
			if (!strstr(text, k->name))
				fail_msg("by: %s is missing", k->name);
	}
	json_decref(doc);
}

int main(void)
{
#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, api_case_setup, api_case_teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_answers),	  CASE(test_refusals),
		CASE(test_other_methods), CASE(test_paths),
		CASE(test_parameters),	  CASE(test_names),
	};

	return cmocka_run_group_tests_name("api document", tests, NULL, NULL);
}
