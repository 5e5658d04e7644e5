import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printable, printableJson } from '../../src/client/printable.ts';
import { formatTable } from '../../src/client/table.ts';

describe('a table', () => {
  it('aligns its columns, and ends no line with spaces', () => {
    assert.equal(
      formatTable([
        ['NAME', 'HOST', 'ID'],
        ['region-us', 'http://203.0.113.7:5000', '1'],
        ['eu', '', ''],
      ]),
      'NAME       HOST                     ID\nregion-us  http://203.0.113.7:5000  1\neu\n',
    );
  });

  it('counts what is drawn wide as two columns, and marks that combine as none', () => {
    assert.equal(
      formatTable([
        ['東京', 'x'],
        ['e\u0301cole', 'x'],
        ['🐳', 'x'],
      ]),
      '東京   x\ne\u0301cole  x\n🐳     x\n',
    );
  });

  it('fits the terminal: takes from the widest column, and says so', () => {
    assert.equal(
      formatTable(
        [
          ['name', 'a description that goes on and on'],
          ['another', 'short'],
        ],
        24,
      ),
      'name     a description …\nanother  short\n',
    );
  });

  it('goes beyond a terminal that is too narrow for anything', () => {
    assert.equal(formatTable([['0123456789', '0123456789']], 4), '0123456…  0123456…\n');
  });
});

describe('text of others', () => {
  it('moves no cursor, colours nothing and turns nothing around', () => {
    assert.equal(
      printable('a\u001b[2Jb\r\nc\u202ed\u009b1m'),
      'a\\u001b[2Jb\\u000d\\u000ac\\u202ed\\u009b1m',
    );
  });

  it('as JSON it is the same value, in characters that are safe', () => {
    const value = { name: 'a\u001b[2J\u009b1m\u202e' };
    const text = printableJson(value);
    assert.match(text, /^[\n -~]+$/);
    assert.deepEqual(JSON.parse(text), value);
  });
});
