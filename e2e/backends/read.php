<?php
// What PHP reads of a request, as a list of texts: names and values of fields, names of files, cookies.
$read = [];
$keep = function ($value) use (&$keep, &$read) {
    if (is_array($value)) {
        foreach ($value as $name => $inner) {
            $read[] = (string) $name;
            $keep($inner);
        }
    } elseif (is_string($value)) {
        $read[] = $value;
    } elseif (is_object($value)) {
        $keep((array) $value);
    }
};
$keep($_GET);
$keep($_POST);
$keep($_COOKIE);
foreach ($_FILES as $field => $file) {
    $keep([$field => $file['name'] ?? '', 'type' => $file['type'] ?? '']);
}
$body = file_get_contents('php://input');
$type = strtolower($_SERVER['CONTENT_TYPE'] ?? '');
if (str_contains($type, 'json')) {
    $keep(json_decode($body, true));
}
if (str_contains($type, 'xml')) {
    libxml_use_internal_errors(true);
    $document = simplexml_load_string($body, 'SimpleXMLElement', LIBXML_NONET);
    if ($document !== false) {
        $texts = function ($element) use (&$texts, &$read) {
            $read[] = $element->getName();
            $read[] = (string) $element;
            foreach ($element->attributes() as $name => $value) {
                $read[] = $name;
                $read[] = (string) $value;
            }
            foreach ($element->children() as $child) {
                $texts($child);
            }
        };
        $texts($document);
    }
}
header('Content-Type: application/json');
echo json_encode($read, JSON_INVALID_UTF8_SUBSTITUTE);
