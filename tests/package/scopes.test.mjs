// The builders of scopes, without a browser: what they write, and what they refuse.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sources } from "./sources.mjs";

const { docspaceScope, laserficheScope } = await sources(["scopes"]);

/** What is refused says why, and repeats nothing of it. */
function refuses(step, quoted = "\0") {
  assert.throws(step, ({ name, code, message }) => {
    assert.deepEqual([name, code], ["AuthError", "invalid_configuration"]);
    assert.ok(!message.includes(quoted), message);
    return true;
  });
}

test("scopes of Laserfiche are written as its server reads them", () => {
  const { repository, table, project, collections } = laserficheScope;
  assert.deepEqual(
    [
      repository("Read"),
      repository("ReadWrite", "Repositories/r-1/Entries/1"),
      repository("Read", "Repositories/r-1/Entries/1/Laserfiche.Repository.Folder/children"),
      table("Write"),
      table("Read", "MyTable('1')"),
      project("Global"),
      project("Test With Spaces"),
      project("v1.Read"),
      collections,
    ],
    [
      "repository.Read",
      "repository/Repositories/r-1/Entries/1.ReadWrite",
      "repository/Repositories/r-1/Entries/1/Laserfiche.Repository.Folder/children.Read",
      "table.Write",
      "odata4/table/MyTable('1').Read",
      "project/Global",
      "project/Test+With+Spaces",
      "project/v1.Read",
      "collections.All",
    ],
  );
});

test("scopes of DocSpace are written as its server reads them", () => {
  const { files, rooms, accounts, self, openid } = docspaceScope;
  assert.deepEqual(
    [files("read"), rooms("write"), accounts("read"), self("write"), openid],
    ["files:read", "rooms:write", "accounts:read", "accounts.self:write", "openid"],
  );
});

test("what no scope can have is refused", () => {
  // RFC 6749 3.3, octet by octet; a space in a project's name is written as +.
  const isLegal = (code) => code === 0x21 || (code >= 0x23 && code <= 0x7e && code !== 0x5c);
  for (let code = 0; code < 0x180; code++) {
    const character = String.fromCharCode(code);
    const [path, project] = [() => laserficheScope.repository("Read", `a${character}b`), () => laserficheScope.project(`a${character}b`)];
    if (isLegal(code)) assert.equal(path(), `repository/a${character}b.Read`);
    else refuses(path, `a${character}b`);
    if (character === " ") assert.equal(project(), "project/a+b");
    else if (isLegal(code) && character !== "+") assert.equal(project(), `project/a${character}b`);
    else refuses(project, `a${character}b`);
  }
  for (const path of ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/..", null]) {
    refuses(() => laserficheScope.repository("Read", path));
    refuses(() => laserficheScope.table("Read", path));
  }
  for (const right of ["read", "", "All", "Read ", "Read\n", undefined]) refuses(() => laserficheScope.repository(right));
  for (const right of ["Read", "", "*", undefined]) refuses(() => docspaceScope.files(right));
  refuses(() => laserficheScope.project(""));
});
