-- What is read without the tools' noise, or of a person's words alone: in a history of a million
-- messages the next prompt may be a hundred thousand messages away.
CREATE INDEX message_prompt ON message (task, at, seq) WHERE is_prompt = 1;
CREATE INDEX message_talk ON message (task, at, seq)
    WHERE kind NOT IN ('tool_call', 'tool_result');
