import { expect, test } from 'vitest';
import { FakeAppliance } from '../../testing/appliance.fake.ts';
import { usePages } from '../../testing/browser.ts';
import { outputFixture, statusFixture } from '../../testing/fixture.ts';

const pages = usePages();

test('an output is added, changed without its token, switched off and removed', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.settings = { devices: { adopt: 'ask' }, source: [], remote: [], output: [] };
  const page = await (await pages.browser.newContext()).newPage();
  await page.goto(`${await appliance.listen()}/#/cameras`);
  const section = page.getByTestId('outputs');
  await section.getByText('Send a feed to a server').click();
  await section.getByLabel('Name').fill('Live stream');
  await section.getByLabel('WHIP address').fill('https://live.example.com/whip/{feed}');
  await section.locator('select[name="feed"]').selectOption('*');
  await section.getByText('where the id of each feed belongs').waitFor();
  await section.getByLabel('Token').fill('tok-1');
  await section.getByRole('button', { name: 'Add', exact: true }).click();
  const added = { id: 'live-stream', label: 'Live stream', feed: '*', token: 'tok-1' };
  await expect
    .poll(() => appliance.settings.output)
    .toEqual([{ ...added, url: 'https://live.example.com/whip/{feed}' }]);

  // From now on the appliance shows that there is a token, and none.
  appliance.settings.output = [{ ...added, url: 'https://live.example.com/whip/{feed}', token: 'not shown' }];
  const reason = 'The server refused the token (401). Check the token of this output.';
  const output = outputFixture({
    id: 'live-stream',
    label: 'Live stream',
    feed: '*',
    state: 'failed',
    reason,
  });
  appliance.update(statusFixture({ outputs: [output] }));
  await section.locator('[data-output="live-stream"][data-state="failed"]').getByText(reason).waitFor();
  await page.reload();
  await section.getByText('Change', { exact: true }).click();
  const form = section.locator('[data-output="live-stream"] form');
  await form.getByLabel('WHIP address').fill('https://other.example.com/{feed}');
  // Figures come in every second; what is being written stays.
  appliance.update(statusFixture({ outputs: [{ ...output, bitrateKbps: 7 }] }));
  await page.waitForTimeout(300);
  expect(await form.getByLabel('WHIP address').inputValue()).toBe('https://other.example.com/{feed}');
  expect(await form.getByLabel('Token').inputValue()).toBe('');
  await form.getByRole('button', { name: 'Save' }).click();
  await expect
    .poll(() => appliance.settings.output)
    .toEqual([{ ...added, url: 'https://other.example.com/{feed}', token: 'not shown' }]);

  // Two directors change it at the same time: another field stays, and the same one is asked for again.
  await section.getByText('Change', { exact: true }).click();
  await form.getByLabel('Name').fill('Mine');
  const theirs = { label: 'Theirs', url: 'https://third.example.com/{feed}' };
  appliance.settings.output = [{ ...added, ...theirs, token: 'not shown' }];
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByText('the name is now “Theirs”').waitFor();
  expect(appliance.settings.output).toMatchObject([theirs]);
  await form.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => appliance.settings.output).toMatchObject([{ ...theirs, label: 'Mine' }]);
  appliance.settings.output = [{ ...added, token: 'not shown' }];
  await section.getByRole('button', { name: 'Stop sending Live stream' }).click();
  await expect.poll(() => appliance.settings.output).toMatchObject([{ enabled: false, token: 'not shown' }]);
  await section.getByRole('button', { name: 'Remove Live stream' }).click();
  await section.getByText('its address and token are forgotten').waitFor();
  expect(appliance.settings.output).toHaveLength(1);
  await section.getByRole('button', { name: 'Remove Live stream' }).click();
  await expect.poll(() => appliance.settings.output).toEqual([]);
  await page.context().close();
}, 60_000);
